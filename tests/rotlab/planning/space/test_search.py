"""Settings that a search finds: what is read, what is refused, and how the plan grows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotlab.execution.search.sampling import propose
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.decisions import Decisions, Proposal, Winner
from rotlab.planning.plan.imagined import imagine
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import find_all, plan_file
from rotlab.planning.plan.planner import Planner, make_plan
from rotlab.planning.plan.serial import plan_from_json, plan_to_json
from rotlab.planning.space.ranges import OneOf, Range
from rotlab.planning.space.samplers import Sampler
from rotlab.planning.space.spec import Spec
from tests.rotlab.planning.asking import MakePlan, refused
from tests.rotlab.planning.conftest import HEAD

HELD_OUT = "finetune: {val_fraction: 0.25, final: train+val}\n"
RATE = "search: {settings: {finetune.lr: {low: 0.001, high: 0.1, log: true}}, proposals: 3}\n"
Read = Callable[[str], Spec]


def planner(read: Read, text: str) -> Planner:
    spec = read(HEAD + HELD_OUT + text)
    return Planner(spec, load_kinds(), find_all(spec, spec.path.parent / "none"))


def decided(one: Planner, number: int = 2, **settings: float) -> Decisions:
    """Every search has made two proposals and ended with the second."""
    named = {name.replace("__", "."): value for name, value in settings.items()}
    proposals = {
        key: tuple(
            Proposal(key, at, {name: value * at for name, value in named.items()}) for at in (1, 2)
        )
        for key in one.tunings
    }
    winners = {
        key: Winner(key, number, made[number - 1].settings, 0.5, {1: 0.4, 2: 0.5})
        for key, made in proposals.items()
    }
    return Decisions(proposals, winners)


def test_cells_wait_for_their_search_and_are_those_of_the_settings_it_ends_with(
    read: Read, plan: MakePlan
) -> None:
    one = planner(read, "replicates: {seed: [0, 1]}\n" + RATE)
    before = one.plan(Decisions())
    assert (len(before.cells), len(before.awaited), len(before.stages)) == (0, 2, 0)
    after = one.plan(decided(one, finetune__lr=0.01))
    fixed = plan(
        HEAD
        + "finetune: {val_fraction: 0.25, final: train+val, lr: 0.02}\nreplicates: {seed: [0, 1]}\n"
    )
    assert [cell.result for cell in after.cells] == [cell.result for cell in fixed.cells]
    assert not after.awaited
    assert after.cells[0].overrides == {"finetune.lr": 0.02}


def test_a_proposal_is_judged_on_held_out_videos_and_never_given_the_test(read: Read) -> None:
    one = planner(read, RATE)
    proposed = one.plan(replace(decided(one, finetune__lr=0.01), winners={}))
    assert {stage.kind for stage in proposed.stages.values()} == {"pretrain", "finetune"}
    assert all(ref.role != "test" for stage in proposed.stages.values() for ref in stage.data)
    rates = [
        (stage.config.finetune.lr, stage.config.finetune.final)  # type: ignore[attr-defined]
        for stage in proposed.stages.values()
        if stage.kind == "finetune"
    ]
    assert sorted(rates) == [(0.01, "train"), (0.02, "train")]


def test_a_plan_only_grows_with_what_is_decided(read: Read) -> None:
    one = planner(read, "axes: {init: [rotation, scratch]}\n" + RATE)
    all_of_it = decided(one, finetune__lr=0.01)
    none = one.plan(Decisions())
    some = one.plan(replace(all_of_it, winners={}))
    whole = one.plan(all_of_it)
    assert none.stages.keys() <= some.stages.keys() < whole.stages.keys()
    assert [key for key in whole.stages if key in some.stages] == list(some.stages)


def test_what_was_imagined_leaves_no_trace_in_the_plan(read: Read) -> None:
    one = planner(read, RATE)
    search = read(HEAD + HELD_OUT + RATE).search
    assert search is not None
    imagined = one.plan(imagine(one.tunings, search, Decisions(), one.fits))
    assert (len(imagined.proposed), len(imagined.cells)) == (3, 1)
    assert one.plan(Decisions()).stages == {}
    assert one.plan(decided(one, finetune__lr=0.01)).cells[0].overrides == {"finetune.lr": 0.02}


@pytest.mark.parametrize(
    "settings",
    [
        "finetune.warmup_epochs: {low: 0, high: 60}, finetune.epochs: {low: 5, high: 15}",
        "finetune.schedule: [cosine, step], finetune.milestones: [[2], []]",
    ],
)
def test_a_plan_imagines_a_winner_that_breaks_no_rule(
    read: Read, tmp_path: Path, settings: str
) -> None:
    read(HEAD + HELD_OUT + f"search: {{settings: {{{settings}}}, proposals: 4}}\n")
    made = plan_file(tmp_path / "space.yaml", tmp_path / "none").imagined(Decisions()).plan
    assert (len(made.cells), len(made.proposed), len(made.awaited)) == (1, 4, 0)
    assert not all(one.results for one in made.proposed)


def test_a_plan_is_made_of_a_search_that_has_tried_all_there_is(read: Read) -> None:
    text = "search: {settings: {finetune.epochs: {low: 2, high: 13}}, proposals: 30}\n"
    one, search = planner(read, text), read(HEAD + HELD_OUT + text).search
    (key,) = one.tunings
    assert search is not None
    made = tuple(Proposal(key, at + 1, {"finetune.epochs": 2 + at % 12}) for at in range(20))
    found = imagine(one.tunings, search, Decisions({key: made}), one.fits)
    assert found.proposals[key] == made


def test_settings_are_known_again_whatever_their_order(read: Read) -> None:
    text = (
        "search: {settings: {finetune.weight_decay: [0.1, 0.2], finetune.lr: [0.1, 0.2]}, "
        "sampler: grid}\n"
    )
    one, search = planner(read, text), read(HEAD + HELD_OUT + text).search
    (key,) = one.tunings
    assert search is not None
    made = (Proposal(key, 1, {"finetune.lr": 0.1, "finetune.weight_decay": 0.1}),)
    found = imagine(one.tunings, search, Decisions({key: made}), one.fits).proposals[key]
    assert (
        len(
            {
                (each.settings["finetune.lr"], each.settings["finetune.weight_decay"])
                for each in found
            }
        )
        == 4
    )


def test_a_fusion_takes_the_winners_of_its_members(read: Read) -> None:
    one = planner(read, "axes: {modality: [rgb, dif, fusion]}\n" + RATE)
    assert sorted(tuning.modality for tuning in one.tunings.values()) == ["dif", "rgb"]
    values = {"rgb": 0.02, "dif": 0.03}
    winners = {
        key: Winner(key, 1, {"finetune.lr": values[tuning.modality]}, 1.0, {1: 1.0})
        for key, tuning in one.tunings.items()
    }
    made = one.plan(Decisions({}, winners))
    rgb, dif, fusion = made.cells
    assert {rgb.result, dif.result} <= set(fusion.stages)
    assert fusion.overrides == {"finetune.lr (rgb)": 0.02, "finetune.lr (dif)": 0.03}


@pytest.mark.parametrize("axes", ["modality: rgb+rgb\n", "axes: {modality: [rgb, rgb+rgb]}\n"])
def test_two_networks_of_one_modality_take_one_winner(read: Read, axes: str) -> None:
    one = planner(read, axes + RATE)
    (key,) = one.tunings
    made = one.plan(Decisions({}, {key: Winner(key, 1, {"finetune.lr": 0.02}, 1.0, {1: 1.0})}))
    assert not made.awaited
    both = made.cells[-1].overrides
    assert both == {"finetune.lr (rgb)": 0.02, "finetune.lr (rgb-2)": 0.02}


def test_each_split_is_tested_with_the_winner_that_was_judged_on_its_own_training_videos(
    read: Read,
) -> None:
    even = RATE.replace("proposals: 3", "proposals: 3, sampler: qmc")
    one = planner(read, "replicates: {seed: [0, 1], split: [1, 2]}\n" + even)
    rates = {1: 0.02, 2: 0.03}
    assert sorted(tuning.split or 0 for tuning in one.tunings.values()) == [1, 2]
    proposals = {key: (Proposal(key, 1, {"finetune.lr": 0.01}),) for key in one.tunings}
    winners = {
        key: Winner(key, 1, {"finetune.lr": rates[tuning.split or 0]}, 1.0, {1: 1.0})
        for key, tuning in one.tunings.items()
    }
    made = one.plan(Decisions(proposals, winners))
    for cell in made.cells:
        assert cell.overrides == {"finetune.lr": rates[cell.replicate["split"]]}
    assert [tuple(cell.replicate.values()) for cell in made.cells] == [
        (0, 1), (0, 2), (1, 1), (1, 2)
    ]  # fmt: skip
    for each in made.proposed:
        splits = {ref.split for key in each.results for ref in made.stages[key].data}
        assert splits == {one.tunings[each.proposal.tuning].split}
    assert not made.warnings
    (first, *_) = winners
    some = one.plan(Decisions(proposals, {first: winners[first]}))
    assert [each.place for each in some.awaited] == [1, 3]


def test_a_search_judged_on_what_no_split_changes_is_one_for_all_splits(read: Read) -> None:
    text = "search: {settings: {pretrain.lr: [0.1, 0.2]}, by: pretrain, proposals: 2}\n"
    (tuning,) = planner(read, "replicates: {split: [1, 2]}\n" + text).tunings.values()
    assert tuning.split is None


def test_an_arm_that_reads_nothing_searched_does_not_wait(read: Read) -> None:
    text = (
        "axes: {init: [rotation, scratch]}\n"
        "search: {settings: {pretrain.lr: {low: 0.01, high: 1}}, by: finetune, proposals: 3}\n"
    )
    made = planner(read, text).plan(Decisions())
    assert [cell.arm for cell in made.cells] == [{"init": "scratch"}]
    assert [dict(one.arm) for one in made.awaited] == [{"init": "rotation"}]


def test_one_search_serves_arms_that_agree_on_what_it_is_for(read: Read) -> None:
    axes = "axes: {init: [rotation, scratch], clip.frames: [8, 16]}\n"
    counts = {"arm": 4, "study": 1, "[init]": 2, "[init, clip.frames]": 4}
    for per, count in counts.items():
        one = planner(read, axes + RATE.replace("proposals: 3", f"proposals: 3, per: {per}"))
        assert len(one.tunings) == count
        proposed = one.plan(replace(decided(one, finetune__lr=0.01), winners={})).proposed
        assert {len(each.results) for each in proposed} == {4 // count}


@pytest.mark.parametrize(
    ("axes", "per", "arms"),
    [
        ("modality: [rgb, dif, fusion]", "modality", [("rgb", "fusion"), ("dif", "fusion")]),
        ("evaluate.clips: [1, 10]", "evaluate.clips", [(1, 10)]),
    ],
)
def test_arms_that_share_a_search_by_its_stages_alone_are_all_told_as_its_own(
    read: Read, axes: str, per: str, arms: list[tuple[object, ...]]
) -> None:
    shared = RATE.replace("proposals: 3", f"proposals: 3, per: [{per}]")
    one = planner(read, f"axes: {{{axes}}}\n" + shared)
    found = [tuple(arm[per] for arm in each.arms) for each in one.tunings.values()]
    assert sorted(found, key=str) == sorted(arms, key=str)


def test_raising_the_number_of_proposals_is_the_same_search_and_another_range_is_not(
    read: Read,
) -> None:
    keys = [
        list(planner(read, text).tunings)
        for text in (
            RATE,
            RATE.replace("proposals: 3", "proposals: 30"),
            RATE.replace("high: 0.1", "high: 0.2"),
            RATE.replace("proposals: 3", "proposals: 3, sampler: random"),
            RATE.replace("proposals: 3", "proposals: 3, at_once: 2"),
        )
    ]
    assert keys[0] == keys[1]
    assert len({key for (key,) in keys}) == 4


def test_a_proposal_whose_settings_break_a_rule_together_has_no_stages(read: Read) -> None:
    text = (
        "search:\n"
        "  settings: {finetune.warmup_epochs: {low: 0, high: 30}, finetune.epochs: [4, 40]}\n"
        "  proposals: 2\n"
    )
    one = planner(read, text)
    (key,) = one.tunings
    bad = Proposal(key, 1, {"finetune.warmup_epochs": 9.0, "finetune.epochs": 4})
    good = Proposal(key, 2, {"finetune.warmup_epochs": 9.0, "finetune.epochs": 40})
    first, second = one.plan(Decisions({key: (bad, good)})).proposed
    assert (first.results, first.stages) == ((), ())
    assert len(second.results) == 1


def test_a_plan_with_searches_is_read_back_as_it_was(read: Read) -> None:
    one = planner(read, "axes: {init: [rotation, scratch]}\n" + RATE)
    all_of_it = decided(one, finetune__lr=0.01)
    (first, *_) = all_of_it.winners
    made = one.plan(Decisions(all_of_it.proposals, {first: all_of_it.winners[first]}))
    back = plan_from_json(plan_to_json(made), load_kinds())
    assert (back.tunings, back.proposed, back.awaited) == (
        made.tunings,
        made.proposed,
        made.awaited,
    )
    assert (back.cells, back.stages) == (made.cells, made.stages)


def test_a_grid_has_as_many_proposals_as_points_and_no_more(plan: MakePlan) -> None:
    grid = "search: {settings: {finetune.lr: [0.1, 0.2], finetune.epochs: {low: 4, high: 6}}, "
    made = plan(HEAD + HELD_OUT + grid + "sampler: grid}\n")
    assert [one.proposals for one in made.tunings.values()] == [6]
    (found,) = refused(plan, HEAD + HELD_OUT + grid + "sampler: grid, proposals: 7}\n")
    assert "the grid has 6 points, got 7" in found


@given(
    low=st.floats(1e-6, 1e3),
    factor=st.floats(1.5, 1e3),
    log=st.booleans(),
    whole=st.booleans(),
    share=st.floats(0, 1, exclude_max=True),
)
def test_every_share_of_a_range_lies_in_it(
    low: float, factor: float, log: bool, whole: bool, share: float
) -> None:
    ends = (int(low) + 1, int(low * factor) + 3) if whole else (low, low * factor)
    one = Range(ends[0], ends[1], log=log, whole=whole)
    found = one.at(share)
    assert ends[0] <= found <= ends[1]
    assert isinstance(found, int) == whole
    assert OneOf(("a", "b")).at(share) == ("a" if share < 0.5 else "b")


@given(
    low=st.integers(-20, 20),
    number=st.integers(1, 30),
    step=st.sampled_from([None, 1, 3, 0.1, 0.25]),
    value=st.floats(-100, 100),
)
def test_the_nearest_of_a_range_is_that_of_all_its_numbers(
    low: int, number: int, step: float | None, value: float
) -> None:
    one = Range(low, low + number * (step or 1), step=step, whole=step in (None, 1, 3))
    points = one.points() or ()
    assert one.nearest(value) == min(points, key=lambda each: abs(each - value))
    assert Range(low, low + number).nearest(value) == min(max(value, low), low + number)


def test_ranges_of_billions_of_numbers_are_drawn_from_without_being_listed(read: Read) -> None:
    settings = "finetune.batch_size: {low: 1, high: 4000000000}, " + (
        "finetune.momentum: {low: 0.0, high: 0.9, step: 1e-12}"
    )
    text = f"search: {{settings: {{{settings}}}, proposals: 3}}\n"
    one, search = planner(read, text), read(HEAD + HELD_OUT + text).search
    assert search is not None
    found = imagine(one.tunings, search, Decisions(), lambda _: True)
    (made,) = found.proposals.values()
    drawn = propose("a", 1, search.settings, Sampler("random"), [], [], maximize=True)
    for each in (*made, drawn):
        assert 1 <= each.settings["finetune.batch_size"] <= 4_000_000_000
        assert 0.0 <= each.settings["finetune.momentum"] <= 0.9


def test_a_plan_without_a_search_has_none(plan: MakePlan) -> None:
    made: Plan = plan(HEAD)
    assert (made.tunings, made.proposed, made.awaited) == ({}, (), ())
    assert "tunings" not in plan_to_json(made)


def test_make_plan_takes_decisions(read: Read) -> None:
    one = planner(read, RATE)
    spec = read(HEAD + HELD_OUT + RATE)
    made = make_plan(
        spec, load_kinds(), find_all(spec, spec.path.parent / "none"), decided(one, finetune__lr=1)
    )
    assert len(made.cells) == 1
