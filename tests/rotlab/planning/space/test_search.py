"""Settings that a search finds: what is read, what is refused, and how the plan grows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.decisions import Decisions, Proposal, Winner
from rotlab.planning.plan.imagined import imagine
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import find_all, plan_file
from rotlab.planning.plan.planner import Planner, make_plan
from rotlab.planning.plan.serial import plan_from_json, plan_to_json
from rotlab.planning.space.problems import SpecError
from rotlab.planning.space.ranges import OneOf, Range
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


def test_settings_of_which_none_go_together_are_refused_where_they_stand(
    read: Read, tmp_path: Path
) -> None:
    settings = "finetune.warmup_epochs: {low: 40, high: 60}, finetune.epochs: {low: 5, high: 20}"
    read(HEAD + HELD_OUT + f"search: {{settings: {{{settings}}}, proposals: 4}}\n")
    planned = plan_file(tmp_path / "space.yaml", tmp_path / "none")
    with pytest.raises(
        SpecError, match=r"line 5 search\.settings: no settings go together"
    ) as found:
        planned.imagined(Decisions())
    assert "as finetune.warmup_epochs=50" in str(found.value)


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
    one = planner(read, "replicates: {seed: [0, 1], split: [1, 2]}\n" + RATE)
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


def test_a_split_that_the_set_does_not_have_is_refused(read: Read) -> None:
    with pytest.raises(SpecError, match=r"search\.split: 'weizmann' has splits 1 to 3, got 9"):
        planner(read, RATE.replace("proposals: 3", "proposals: 3, split: [9]"))


def test_choosing_on_one_split_and_testing_on_another_is_flagged(read: Read) -> None:
    one = planner(
        read,
        "replicates: {split: [1, 2]}\n" + RATE.replace("proposals: 3", "proposals: 3, split: [1]"),
    )
    assert len(one.tunings) == 1
    (warning,) = one.plan(Decisions()).warnings
    assert "line 6 search.split: settings are chosen on split 1 and tested on 1, 2" in warning
    same = RATE.replace("proposals: 3", "proposals: 3, split: [1]")
    assert not planner(read, same).plan(Decisions()).warnings


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


def test_a_setting_that_judging_holds_fast_is_not_searched(plan: MakePlan) -> None:
    text = "finetune: {val_fraction: 0.25}\nsearch:\n  proposals: 3\n  settings:\n"
    (found,) = refused(plan, HEAD + text + "    finetune.final: [train, train+val]\n")
    assert found.startswith("8 search.settings.finetune.final: is train in all that")


def test_a_metric_is_one_that_the_kind_tells_of_held_out_videos(read: Read) -> None:
    for by, metric in (
        ("finetune", "val_accuracy"),
        ("finetune", "val_loss"),
        ("pretrain", "val_circular_error"),
    ):
        text = f"proposals: 3, goal: minimize, by: {by}, metric: {metric}"
        named = {"finetune": RATE, "pretrain": RATE.replace("finetune.lr", "pretrain.lr")}[by]
        search = read(HEAD + HELD_OUT + named.replace("proposals: 3", text)).search
        assert search is not None
        assert search.metric == metric


def test_a_search_judged_by_the_pretext_is_flagged(plan: MakePlan) -> None:
    text = "search: {settings: {pretrain.lr: [0.1, 0.2]}, by: pretrain, proposals: 2}\n"
    (warning,) = plan(HEAD + text).warnings
    assert "line 4 search: is judged on a proxy: the pretext's accuracy" in warning


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


def sampled(options: str) -> str:
    return RATE.replace("proposals: 3", f"proposals: 3, sampler: {{name: {options}}}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("search: 3\n", "search: must be a mapping"),
        ("search: {proposals: 3}\n", "search: needs settings"),
        ("search: {settings: {finetune.lr: [0.1, 0.2]}}\n", "needs proposals"),
        (RATE.replace("low: 0.001", "low: 0.2"), "low must be below high, got 0.2 and 0.1"),
        (RATE.replace("low: 0.001", "low: 0"), "low must be greater than 0 where log is true"),
        (RATE.replace("low: 0.001", "low: -1").replace(", log: true", ""), "greater than 0"),
        (RATE.replace("log: true", "step: 5"), "step must be above 0 and at most high - low"),
        (RATE.replace("log: true", "log: true, step: 0.01"), "exclude each other"),
        (RATE.replace("low: 0.001, ", ""), "needs low"),
        (RATE.replace("0.001", ".nan"), "must be a finite number"),
        (RATE.replace("proposals: 3", "proposals: 0"), "must be at least 1"),
        (RATE.replace("proposals: 3", "proposals: 3, by: evaluate"), "no search may see test"),
        (RATE.replace("proposals: 3", "sampler: grid"), "has no grid; give a step"),
        (RATE.replace("proposals: 3", "proposals: 3, sampler: {name: tpe, x: 1}"), "option of tpe"),
        (RATE.replace("proposals: 3", "proposals: 3, by: [finetune]"), "unknown stage kind"),
        (RATE.replace("proposals: 3", "proposals: 3, by: {a: 1}"), "unknown stage kind"),
        (sampled("cmaes, sigma0: .inf"), "must be a finite number above 0, got inf"),
        (sampled("tpe, prior_weight: .nan"), "must be a finite number above 0, got nan"),
        (sampled("cmaes, popsize: 3"), "must be a whole number above 3, got 3"),
        (sampled("tpe, group: true, multivariate: false"), "exclude each other; take one away"),
        (sampled("cmaes, use_separable_cma: true, with_margin: true"), "exclude each other"),
        (sampled("cmaes, lr_adapt: true, with_margin: true"), "exclude each other"),
        (sampled("cmaes, lr_adapt: true, use_separable_cma: true"), "exclude each other"),
        ("measure: linear\n" + RATE, "needs by, the stage kind"),
        ("axes: {finetune.lr: [0.1, 0.2]}\n" + RATE, "is an axis as well"),
        (RATE.replace("finetune.lr: {low: 0.001, high: 0.1, log: true}", "evaluate.clips: [1, 2]"),
         "nothing that leads to finetune reads it"),
        ("measure: [finetune, linear]\n" + RATE.replace("finetune.lr", "pretrain.lr"),
         "linear reads it too, but has no finetune to be judged by"),
        (RATE.replace("proposals: 3", "proposals: 3, metric: accuracy"),
         "5 search.metric: unknown metric of finetune on held-out videos 'accuracy'; did you mean"),
        (RATE.replace("proposals: 3", "proposals: 3, by: pretrain, metric: loss"), "(val_accuracy"),
        ("search: {settings: {finetune.final: [train, train+val]}, proposals: 3}\n",
         "is fixed in line 4"),
        ("replicates: {seed: {finetune: [7, 8]}}\n"
         + RATE.replace("proposals: 3", "proposals: 3, seed: [5]"),
         "6 search.seed: stage kinds have seeds of their own in line 5, the first of which"),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused_with_its_reason(
    plan: MakePlan, text: str, said: str
) -> None:
    found = refused(plan, HEAD + HELD_OUT + text)
    assert any(said in one for one in found), found


def test_a_search_needs_videos_to_judge_on(plan: MakePlan) -> None:
    (found,) = refused(plan, HEAD + RATE)
    assert found.startswith("4 search: finetune.val_fraction must be greater than 0")


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


def test_fewer_settings_than_proposals_are_told_beforehand(plan: MakePlan) -> None:
    text = "search:\n  settings: {finetune.freeze: {low: 1, high: 4}}\n  proposals: 9\n"
    (warning,) = plan(HEAD + HELD_OUT + text).warnings
    assert warning == (
        "line 7 search.proposals: a search ends once it has tried all 4 settings that there are, "
        "fewer than 9 proposals"
    )
    assert plan(HEAD + HELD_OUT + text.replace("9", "4")).warnings == ()
