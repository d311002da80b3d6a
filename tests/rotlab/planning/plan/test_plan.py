"""What a search space comes to: arms, cells and shared stages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotlab.planning.datasets import DatasetInfo, find_datasets
from rotlab.planning.kinds import load_kinds
from rotlab.planning.outline.outline import outline
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.plan.planner import make_plan
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.spec import load_spec
from rotlab.planning.stage import Stage

MakePlan = Callable[[str], Plan]
SPACES = Path(__file__).parents[4] / "search_spaces"


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_file(SPACES / "paper.yaml", tmp_path_factory.mktemp("none")).plan


def stages_of(plan: Plan, kind: str) -> list[Stage]:
    return [stage for stage in plan.stages.values() if stage.kind == kind]


def test_the_papers_study_shares_its_pretrainings(paper: Plan) -> None:
    assert (paper.num_arms, len(paper.cells)) == (24, 432)
    assert paper.count_by_kind() == {"pretrain": 36, "finetune": 288, "evaluate": 288, "fuse": 144}
    assert paper.stages_unshared["pretrain"] == 432
    assert paper.stages_unshared["finetune"] == 576
    assert paper.absent == ("hmdb51", "kinetics400", "ucf101")


def test_the_papers_study_says_what_collapsed_and_what_is_excluded(paper: Plan) -> None:
    (collapsed,) = paper.collapsed
    assert (collapsed.axes, collapsed.where) == (("pretext.rotations",), {"init": ("scratch",)})
    assert (collapsed.combinations, collapsed.arms) == (24, 6)
    assert len(paper.excluded) == 6
    assert {one.arm["clip.frames"] for one in paper.excluded} == {64}
    assert {one.arm["pretext.rotations"] for one in paper.excluded} == {2, 8}


def test_every_rotation_set_can_be_run(paper: Plan) -> None:
    assert not paper.unsupported


@pytest.mark.parametrize("name", sorted(path.stem for path in SPACES.glob("*.yaml")))
def test_every_shipped_file_plans_without_data_or_warning(name: str, tmp_path: Path) -> None:
    plan = plan_file(SPACES / f"{name}.yaml", tmp_path).imagined(Decisions()).plan
    assert plan.name == name
    assert not plan.warnings
    assert plan.absent


def test_transfer_turns_every_set_on_one_path(tmp_path: Path) -> None:
    stages = plan_file(SPACES / "transfer.yaml", tmp_path).plan.stages.values()
    trained: list[Any] = [one.config for one in stages if one.kind == "pretrain"]
    assert {config.pretext.rotations for config in trained} == {2, 4, 8, 360}
    assert {config.pretext.resampled for config in trained} == {True}


def test_parents_stand_before_children_and_in_every_cell_that_needs_them(paper: Plan) -> None:
    seen: set[str] = set()
    for key, stage in paper.stages.items():
        assert seen.issuperset(stage.inputs.values())
        seen.add(key)
    for cell in paper.cells:
        assert cell.stages[-1] == cell.result
        for key in cell.stages:
            assert set(cell.stages).issuperset(paper.stages[key].inputs.values())


def test_children_are_the_inverse_of_inputs(paper: Plan) -> None:
    for key in paper.stages:
        for child in paper.children(key):
            assert key in paper.stages[child].inputs.values()
    assert sum(len(set(stage.inputs.values())) for stage in paper.stages.values()) == sum(
        len(paper.children(key)) for key in paper.stages
    )


def test_scratch_has_no_pretraining_and_one_arm(plan: MakePlan) -> None:
    made = plan("axes: {pretext.rotations: [2, 4], pretrain.lr: [0.1, 0.2]}\ninit: scratch\n")
    assert made.num_arms == 1
    assert made.cells[0].arm == {}
    assert made.count_by_kind() == {"finetune": 1, "evaluate": 1}
    (finetune,) = stages_of(made, "finetune")
    assert finetune.inputs == {}
    (collapsed,) = made.collapsed
    assert collapsed.where == {}


def test_a_fusion_joins_the_chains_that_its_members_have_anyway(plan: MakePlan) -> None:
    fused = plan("modality: fusion\n")
    every = plan("axes: {modality: [rgb, dif, fusion]}\n")
    assert set(fused.stages) == set(every.stages)
    (fuse,) = stages_of(fused, "fuse")
    assert list(fuse.inputs) == ["dif", "rgb"]
    ends = {name: fused.stages[key] for name, key in fuse.inputs.items()}
    assert {stage.kind for stage in ends.values()} == {"evaluate"}
    for name, stage in ends.items():
        config = fused.stages[stage.inputs["network"]].config
        assert config.modality == name  # type: ignore[attr-defined]


def test_only_scoring_sees_test_rows(paper: Plan) -> None:
    roles = {(stage.kind, ref.role) for stage in paper.stages.values() for ref in stage.data}
    assert roles == {("pretrain", "pretrain"), ("finetune", "train"), ("evaluate", "test")}


def test_pretraining_on_the_target_sees_the_training_part_of_each_split(plan: MakePlan) -> None:
    elsewhere = plan("replicates: {split: [1, 2]}\n")
    assert [stage.data[0].split for stage in stages_of(elsewhere, "pretrain")] == [None]
    head = "name: own\nbase: tiny\ndata: {pretrain: weizmann, target: weizmann}\n"
    own = plan(head + "replicates: {split: [1, 2]}\n")
    assert [stage.data[0].split for stage in stages_of(own, "pretrain")] == [1, 2]


def test_equal_data_under_another_name_is_pretrained_on_like_the_target(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("name: a\nbase: tiny\ndata: {pretrain: copy, target: mine}\n")
    sets = {name: DatasetInfo(name, tmp_path, tmp_path, "f" * 8, 3, 5) for name in ("copy", "mine")}
    made = make_plan(load_spec(file), load_kinds(), sets)
    assert stages_of(made, "pretrain")[0].data[0].split == 1


def test_a_target_gets_its_own_splits_only(plan: MakePlan, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="'weizmann' has splits 1 to 3, got 4"):
        plan("replicates: {split: [1, 4]}\n")
    with pytest.raises(SpecError, match="'hockey' has no split into train and test"):
        plan("name: a\nbase: tiny\ndata: {pretrain: hockey, target: hockey}\n")
    unknown = find_datasets(["mine"], tmp_path)["mine"]
    assert (unknown.num_splits, unknown.fingerprint, unknown.absent) == (None, "absent:mine", True)
    made = plan("name: a\nbase: tiny\ndata: {pretrain: hockey, target: mine}\n")
    assert made.cells[0].replicate == {"seed": 0, "split": 1}


def test_pretraining_needs_a_data_set_and_scratch_does_not(plan: MakePlan) -> None:
    head = "name: a\nbase: tiny\ndata: {target: weizmann}\n"
    with pytest.raises(SpecError, match=r"line 3 data\.pretrain: is missing"):
        plan(head)
    assert len(plan(head + "init: scratch\n").cells) == 1


def test_a_rule_that_one_combination_breaks_is_reported_once_and_names_it(plan: MakePlan) -> None:
    axes = "axes: {clip.size: [32, 64], clip.resize: [36, 72], modality: [rgb, dif]}\n"
    with pytest.raises(SpecError, match=r"clip\.size=64, clip\.resize=36") as caught:
        plan(axes)
    assert len(caught.value.problems) == 1
    excluded = "exclude: [{when: {clip.size: 64, clip.resize: 36}, because: does not fit}]\n"
    assert plan(axes + excluded).num_arms == 6


def test_exclusions_match_only_axes_that_an_arm_has(plan: MakePlan) -> None:
    axes = "axes: {pretext.rotations: [2, 4], init: [rotation, scratch]}\n"
    made = plan(axes + "exclude: [{when: {pretext.rotations: 2}, because: no}]\n")
    arms = [dict(cell.arm) for cell in made.cells]
    assert arms == [{"init": "scratch"}, {"pretext.rotations": 4, "init": "rotation"}]


def test_an_exclusion_that_matches_nothing_is_a_warning_and_one_of_all_an_error(
    plan: MakePlan,
) -> None:
    axes = "axes: {clip.frames: [4, 8]}\n"
    made = plan(axes + "exclude: [{when: {clip.frames: 16}, because: no}]\n")
    assert len(made.warnings) == 1
    with pytest.raises(SpecError, match="every arm is excluded"):
        plan(axes + "exclude: [{when: {clip.frames: [4, 8]}, because: no}]\n")


def test_several_measures_share_what_they_have_in_common(plan: MakePlan) -> None:
    made = plan("measure: [pretrain, finetune]\naxes: {finetune.lr: [0.1, 0.2]}\n")
    by_measure = [cell.measure for cell in made.cells]
    assert by_measure == ["pretrain", "finetune", "finetune"]  # pretraining reads no finetune.lr
    assert made.count_by_kind()["pretrain"] == 1


def test_what_cannot_change_a_result_cannot_change_a_key(plan: MakePlan) -> None:
    plain = plan("")
    assert set(plan("runtime: {workers: 5}\nresources: {pretrain: {cpus: 2}}\n").stages) == set(
        plain.stages
    )
    assert not set(plan("model: {width: 8}\n").stages) & set(plain.stages)


@settings(deadline=None, max_examples=15)
@given(
    seeds=st.lists(st.integers(0, 50), min_size=1, max_size=3, unique=True),
    frames=st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True),
    inits=st.sampled_from([["rotation"], ["scratch"], ["rotation", "scratch"]]),
)
def test_a_larger_space_has_all_stages_of_a_smaller_one(
    tmp_path_factory: pytest.TempPathFactory,
    seeds: list[int],
    frames: list[int],
    inits: list[str],
) -> None:
    folder = tmp_path_factory.mktemp("spaces")
    head = "name: a\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"

    def keys(seed: list[int], frame: list[int], init: list[str]) -> set[str]:
        axes = f"axes: {{clip.frames: {frame}, init: [{', '.join(init)}]}}\n"
        (folder / "a.yaml").write_text(f"{head}{axes}replicates: {{seed: {seed}}}\n")
        return set(plan_file(folder / "a.yaml", folder).plan.stages)

    whole = keys(seeds, frames, inits)
    assert keys(seeds[:1], frames[:1], inits[:1]) <= whole
    parts = [keys([seed], [frame], [init]) for seed in seeds for frame in frames for init in inits]
    assert set().union(*parts) == whole


@pytest.mark.parametrize("measure", ["linear", "retrieval"])
def test_frozen_networks_without_a_random_one_beside_them_are_warned_of(
    plan: Callable[[str], Plan], measure: str
) -> None:
    alone = plan(f"measure: [finetune, {measure}]\naxes: {{init: [rotation, pace]}}\n")
    (warning,) = alone.warnings
    assert f"{measure} has no random network to be read against" in warning
    assert not plan(f"measure: {measure}\naxes: {{init: [rotation, scratch]}}\n").warnings
    assert not plan("axes: {init: [rotation, pace]}\n").warnings


def test_a_random_network_that_is_excluded_is_missed(plan: Callable[[str], Plan]) -> None:
    axes = "measure: [finetune, linear]\naxes: {init: [scratch, random-frozen, rotation]}\n"
    without = "exclude:\n  - {when: {init: %s}, because: dear}\n"
    (warning,) = plan(axes + without % "[scratch, random-frozen]").warnings
    assert "linear has no random network" in warning
    (warning,) = plan("measure: linear\n").warnings
    assert warning.startswith("line 4 init: linear has no random network")


def test_work_that_goes_by_two_names_is_excluded_by_both_only(plan: Callable[[str], Plan]) -> None:
    axes = "measure: [finetune, linear]\naxes: {init: [scratch, random-frozen, rotation]}\n"
    for excluded, other in (("scratch", "random-frozen"), ("random-frozen", "scratch")):
        made = plan(axes + f"exclude:\n  - {{when: {{init: {excluded}}}, because: dear}}\n")
        for measure in ("finetune", "linear"):
            inits = [cell.arm["init"] for cell in made.cells if cell.measure == measure]
            assert inits == [other, "rotation"]
        assert not made.warnings


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("views: {vertical_flip: 0.5}\n", "line 4 views.vertical_flip: "),
        ("axes: {views.vertical_flip: [0.0, 0.5]}\n", "line 4 axes.views.vertical_flip: "),
    ],
)
def test_a_rule_of_two_sections_is_told_where_its_setting_stands(
    plan: Callable[[str], Plan], text: str, place: str
) -> None:
    with pytest.raises(SpecError) as refused:
        plan(text)
    assert place in str(refused.value)
    assert "(with )" not in str(refused.value)


def test_what_cannot_be_is_left_out_whatever_the_number_of_arms(tmp_path: Path) -> None:
    space = tmp_path / "space.yaml"
    axes = "axes: {init: [rotation, scratch, target], modality: [rgb, dif, fusion]}\n"
    space.write_text(
        "name: a\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"
        f"measure: [finetune, linear]\n{axes}"
        "exclude:\n  - {when: {init: scratch, modality: dif}, because: dear}\n"
    )
    text = outline(plan_file(space, tmp_path), {})
    assert "left out: 'finetune' has no networks whose init is target" in text
    assert "excluded: 1 arm: dear\n  init=scratch, modality=dif" in text
