"""What cannot be searched, and is refused or flagged before it starts."""

from pathlib import Path

import pytest

from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.space.problems import SpecError
from tests.rotlab.planning.asking import MakePlan, refused
from tests.rotlab.planning.conftest import HEAD
from tests.rotlab.planning.space.test_search import HELD_OUT, RATE, Read, planner


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


def test_a_split_that_the_set_does_not_have_is_refused(read: Read) -> None:
    with pytest.raises(SpecError, match=r"search\.split: 'weizmann' has splits 1 to 3, got 9"):
        planner(read, RATE.replace("proposals: 3", "proposals: 3, split: [9]"))


def test_choosing_on_one_split_and_testing_on_another_is_flagged(read: Read) -> None:
    same = RATE.replace("proposals: 3", "proposals: 3, split: [1], sampler: qmc")
    one = planner(read, "replicates: {split: [1, 2]}\n" + same)
    assert len(one.tunings) == 1
    (warning,) = one.plan(Decisions()).warnings
    assert "line 6 search.split: settings are chosen on split 1 and tested on 1, 2" in warning
    assert not planner(read, same).plan(Decisions()).warnings


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
        (RATE.replace("log: true", "step: 1e-9").replace("proposals: 3", "sampler: grid"),
         "5 search.sampler: a grid has at most 100,000 points, got 99,000,001; take larger steps"),
        (RATE.replace("proposals: 3", "proposals: 3, metric: val_loss"),
         "5 search.metric: needs goal beside it, maximize or minimize"),
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


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (
            "proposals: 10",
            "tpe draws at random until it knows 10 values (n_startup_trials), and the",
        ),
        ("proposals: 11", ""),
        (
            "proposals: 11, at_once: 2",
            "the last of 11 proposals knows 9; lower n_startup_trials or",
        ),
        ("proposals: 6, sampler: {name: gp, n_startup_trials: 5}", ""),
        ("proposals: 50, sampler: nsgaii", "until it knows 50 values (population_size)"),
        ("proposals: 4, sampler: cmaes", ""),
        ("proposals: 4, sampler: random", ""),
    ],
)
def test_a_sampler_that_never_learns_is_told_beforehand(
    plan: MakePlan, rest: str, said: str
) -> None:
    found = plan(HEAD + HELD_OUT + RATE.replace("proposals: 3", rest)).warnings
    assert len(found) == bool(said)
    assert all(said in one for one in found)


def test_fewer_settings_than_proposals_are_told_beforehand(plan: MakePlan) -> None:
    text = "search:\n  settings: {finetune.freeze: {low: 1, high: 4}}\n  proposals: 9\n"
    (warning,) = plan(HEAD + HELD_OUT + text).warnings
    assert warning == (
        "line 7 search.proposals: a search ends once it has tried all 4 settings that there are, "
        "fewer than 9 proposals"
    )
    assert plan(HEAD + HELD_OUT + text.replace("9", "4")).warnings == ()
