"""Trainings that differ in their length: which goes on from which, and what the plan says of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotlab.planning.kinds import PRETRAIN, load_kinds
from rotlab.planning.lengths import continuations, shared_lengths, unshared_lengths
from rotlab.planning.outline.outline import outline, outline_json
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.plan.serial import plan_from_json, plan_to_json
from rotlab.planning.stage import Stage
from rotnet.config import PretrainConfig

MakePlan = Callable[[str], Plan]
STEP = "pretrain: {schedule: step, milestones: [60, 120]}\n"
COSINE = "pretrain: {schedule: cosine}\n"


def lengths(plan: Plan) -> dict[int, int | None]:
    """Epochs of every pretraining -> those of the one that it goes on from."""

    def epochs(stage: Stage) -> int:
        assert isinstance(stage.config, PretrainConfig)
        return stage.config.pretrain.epochs

    return {
        epochs(stage): epochs(plan.stages[plan.continues[key]]) if key in plan.continues else None
        for key, stage in plan.stages.items()
        if stage.kind == "pretrain"
    }


def test_50_100_and_200_epochs_are_one_run_with_three_exits(plan: MakePlan) -> None:
    made = plan(STEP + "axes: {pretrain.epochs: [200, 50, 100]}\n")
    assert lengths(made) == {50: None, 100: 50, 200: 100}
    (shared,) = shared_lengths(made.stages, load_kinds(), made.continues)
    assert (shared.setting, shared.stages, shared.going_on) == ("pretrain.epochs", 3, 2)
    assert (shared.epochs, shared.trained) == (350, 200)
    assert made.count_by_kind()["pretrain"] == 3
    assert not unshared_lengths(made.stages, load_kinds())


def test_a_cosine_over_the_whole_length_shares_nothing_and_says_why(plan: MakePlan) -> None:
    made = plan(COSINE + "axes: {pretrain.epochs: [50, 100, 200], modality: [rgb, dif]}\n")
    assert not made.continues
    (unshared,) = unshared_lengths(made.stages, load_kinds())
    assert (unshared.lengths, unshared.groups) == ((50, 100, 200), 2)
    assert (unshared.epochs, unshared.trained) == (700, 400)


def test_only_trainings_alike_up_to_the_exit_share_it(plan: MakePlan) -> None:
    """Other milestones before it, another seed or other views are another training."""
    axes = "  pretrain.milestones: [[20], [60], [80]]\n  pretrain.epochs: [50, 100]\n"
    made = plan(f"pretrain: {{schedule: step}}\naxes:\n{axes}replicates: {{seed: [0, 1]}}\n")
    for longer, shorter in made.continues.items():
        one, other = made.stages[longer].config, made.stages[shorter].config
        assert isinstance(one, PretrainConfig)
        assert isinstance(other, PretrainConfig)
        assert one.seed == other.seed
        assert (20 in one.pretrain.milestones) == (20 in other.pretrain.milestones)
    assert len(made.continues) == 6


def test_fine_tunings_share_where_all_before_them_is_equal(plan: MakePlan) -> None:
    text = "finetune: {schedule: constant}\naxes:\n  finetune.epochs: [10, 20]\n"
    made = plan(text + "  pretext.rotations: [2, 4]\n")
    assert len(made.continues) == 2
    for longer, shorter in made.continues.items():
        assert made.stages[longer].inputs == made.stages[shorter].inputs
        assert made.stages[longer].data == made.stages[shorter].data


def test_fine_tunings_of_pretrainings_of_different_length_share_nothing(plan: MakePlan) -> None:
    made = plan(STEP + "axes: {pretrain.epochs: [50, 100]}\n")
    assert {made.stages[key].kind for key in made.continues} == {"pretrain"}


def test_adding_50_to_the_axis_changes_no_key(plan: MakePlan) -> None:
    before = plan(STEP + "axes: {pretrain.epochs: [100, 200]}\n")
    after = plan(STEP + "axes: {pretrain.epochs: [50, 100, 200]}\n")
    assert set(before.stages) < set(after.stages)
    keys = [key for key, stage in before.stages.items() if stage.kind == "pretrain"]
    assert keys == ["b8f7bab49dc18a6b830f", "30f13d9a394c8815c9c6"]
    assert after.continues[keys[1]] == keys[0]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=6, unique=True))
def test_every_length_but_the_shortest_goes_on_from_the_next_shorter(epochs: list[int]) -> None:
    configs = {
        n: PretrainConfig.model_validate({"pretrain": {"epochs": n, "schedule": "constant"}})
        for n in epochs
    }
    stages = {str(n): Stage(str(n), "pretrain", config) for n, config in configs.items()}
    found = continuations(stages, {"pretrain": PRETRAIN})
    rising = [str(n) for n in sorted(epochs)]
    assert found == dict(zip(rising[1:], rising, strict=False))


def test_a_plan_read_back_goes_on_as_it_did(plan: MakePlan) -> None:
    made = plan(STEP + "axes: {pretrain.epochs: [50, 100]}\n")
    assert made.continues
    assert plan_from_json(plan_to_json(made), load_kinds()).continues == made.continues


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (
            "step",
            "pretrain.epochs: 2 of 3 trainings go on from the end of a shorter one: "
            "200 of 350 epochs are trained, 150 saved",
        ),
        (
            "cosine",
            "pretrain.epochs 50, 100, 200 share nothing: pretrain.schedule is cosine over the "
            "whole length; with step or constant, 200 of 350 epochs would be trained",
        ),
    ],
)
def test_the_plan_says_what_lengths_share_and_why_not(
    tmp_path: Path, schedule: str, said: str
) -> None:
    path = tmp_path / "lengths.yaml"
    path.write_text(
        "name: lengths\nquestion: How long?\nbase: tiny\n"
        "data: {pretrain: hockey, target: weizmann}\n"
        f"pretrain: {{schedule: {schedule}}}\naxes: {{pretrain.epochs: [50, 100, 200]}}\n"
    )
    planned = plan_file(path, tmp_path / "none")
    assert said in outline(planned, {}).splitlines()
    values = outline_json(planned, {})
    shared, unshared = values["lengths_shared"], values["lengths_unshared"]
    assert [one["saved"] for one in shared] == ([150] if schedule == "step" else [])
    assert [one["lengths"] for one in unshared] == ([] if schedule == "step" else [(50, 100, 200)])
