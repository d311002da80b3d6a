"""The sorts of stages that a plan has: what makes two of them, and what does not."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.release.smoke import Smoke, smoke_of

SPACES = Path(__file__).parents[4] / "search_spaces"
KINDS = load_kinds()
HEAD = "name: trial\nbase: tiny\ndata: {pretrain: hockey, target: weizmann}\n"


def sorted_out(tmp_path: Path, text: str) -> tuple[Plan, Smoke]:
    path = tmp_path / "trial.yaml"
    path.write_text(HEAD + text)
    plan = plan_file(path, tmp_path).plan
    return plan, smoke_of(plan, KINDS, set(plan.stages))


def test_what_takes_another_path_through_the_code_is_another_sort(tmp_path: Path) -> None:
    _, smoke = sorted_out(
        tmp_path, "axes: {modality: [rgb, dif, fusion], init: [rotation, scratch]}\n"
    )
    assert smoke.plan.count_by_kind() == {"pretrain": 2, "finetune": 4, "evaluate": 4, "fuse": 2}
    assert not smoke.untried


def test_seeds_splits_lengths_and_rates_are_of_one_sort(tmp_path: Path) -> None:
    plan, smoke = sorted_out(
        tmp_path,
        "axes: {pretrain.epochs: [2, 4], pretrain.lr: [0.1, 0.01], finetune.shots: [1, 2],\n"
        "  finetune.weight_decay: [0.0, 0.1]}\nreplicates: {seed: [0, 1], split: [2, 3]}\n",
    )
    assert smoke.plan.count_by_kind() == {"pretrain": 1, "finetune": 1, "evaluate": 1}
    assert list(smoke.counts.values()) == list(plan.count_by_kind().values())
    assert {ref.split for stage in smoke.plan.stages.values() for ref in stage.data} == {None, 2}


def test_every_shipped_search_space_has_sorts_and_few_of_them(tmp_path: Path) -> None:
    for path in SPACES.glob("*.yaml"):
        plan = plan_file(path, tmp_path).plan
        smoke = smoke_of(plan, KINDS, set(plan.stages))
        assert not smoke.untried
        assert Counter(smoke.counts).total() == len(plan.stages), path
        assert len(smoke.plan.stages) <= len(plan.stages)
    paper = plan_file(SPACES / "paper.yaml", tmp_path).plan
    found = smoke_of(paper, KINDS, set(paper.stages)).plan.count_by_kind()
    assert found["pretrain"] == 12
    assert paper.count_by_kind()["pretrain"] == 36


def test_a_sort_starts_from_those_of_its_parents(tmp_path: Path) -> None:
    _, smoke = sorted_out(
        tmp_path, "axes: {init: [rotation, pace, scratch], modality: [rgb, rgb+rgb]}\n"
    )
    stages = smoke.plan.stages
    for stage in stages.values():
        assert all(parent in stages for parent in stage.inputs.values())
    fused = next(stage for stage in stages.values() if stage.kind == "fuse")
    assert sorted(fused.inputs) == ["rgb", "rgb-2"]
    assert len(set(fused.inputs.values())) == 1


def test_sorts_are_named_by_what_differs(tmp_path: Path) -> None:
    _, smoke = sorted_out(
        tmp_path,
        "axes: {init: [rotation, scratch], clip.frames: [8, 16], finetune.epochs: [3, 4]}\n",
    )
    assert set(smoke.names.values()) == {
        "evaluate (after finetune, clip.frames 16)",
        "evaluate (after pretrain > finetune, clip.frames 16)",
        "evaluate (after finetune, clip.frames 8)",
        "evaluate (after pretrain > finetune, clip.frames 8)",
        "finetune (after nothing, clip.frames 16)",
        "finetune (after pretrain, clip.frames 16)",
        "finetune (after nothing, clip.frames 8)",
        "finetune (after pretrain, clip.frames 8)",
        "pretrain (clip.frames 16)",
        "pretrain (clip.frames 8)",
    }
    assert len(smoke.names) == 10


def test_only_what_is_to_do_is_tried_and_what_it_starts_from(tmp_path: Path) -> None:
    plan, _ = sorted_out(tmp_path, "axes: {init: [rotation, scratch]}\n")
    scoring = [key for key, stage in plan.stages.items() if stage.kind == "evaluate"]
    smoke = smoke_of(plan, KINDS, scoring[:1])
    assert smoke.plan.count_by_kind() == {"pretrain": 1, "finetune": 1, "evaluate": 1}
    assert list(smoke.counts.values()) == [0, 0, 1]
    assert smoke_of(plan, KINDS, []).plan.stages == {}


def test_a_kind_without_settings_in_brief_is_told_with_all_that_starts_from_it(
    tmp_path: Path,
) -> None:
    plan, _ = sorted_out(tmp_path, "axes: {init: [rotation, scratch]}\n")
    kinds = {**KINDS, "pretrain": replace(KINDS["pretrain"], brief=None)}
    smoke = smoke_of(plan, kinds, set(plan.stages))
    assert smoke.plan.count_by_kind() == {"finetune": 1, "evaluate": 1}
    assert smoke.untried == {"kind pretrain has no settings in brief (StageKind.brief)": 3}


def test_a_part_holds_what_its_sorts_need(tmp_path: Path) -> None:
    _, smoke = sorted_out(tmp_path, "axes: {init: [rotation, scratch]}\n")
    pretrain, *_ = smoke.plan.stages
    assert list(smoke.only([pretrain]).plan.stages) == [pretrain]
    last = list(smoke.plan.stages)[-1]
    assert set(smoke.only([last]).plan.stages) >= {last, *smoke.plan.stages[last].inputs.values()}
