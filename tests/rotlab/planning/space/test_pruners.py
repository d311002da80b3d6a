"""What stops tries of a search: what may be written, and what it changes of a plan."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.planning.cost.costed import cost
from rotlab.planning.cost.prices import Prices
from rotlab.planning.kinds import load_kinds
from rotlab.planning.outline.outline import outline
from rotlab.planning.plan.decisions import Decisions, Ended, Proposal, Pruned
from rotlab.planning.plan.planned import find_all, plan_file
from rotlab.planning.plan.planner import Planner
from rotlab.planning.plan.serial_searches import (
    ended_from_json,
    ended_to_json,
    pruned_from_json,
    pruned_to_json,
)
from rotlab.planning.space.pruners import Pruner
from rotlab.planning.space.spec import Spec
from tests.rotlab.planning.asking import MakePlan, refused
from tests.rotlab.planning.conftest import HEAD

HELD_OUT = "finetune: {val_fraction: 0.25, final: train+val, epochs: 20}\n"
SEARCH = """
search:
  settings: {finetune.lr: {low: 0.001, high: 0.1, log: true}}
  proposals: 8
"""
Read = Callable[[str], Spec]


def planner(read: Read, text: str) -> Planner:
    spec = read(HEAD + HELD_OUT + text)
    return Planner(spec, load_kinds(), find_all(spec, spec.path.parent / "none"))


def test_what_is_told_at_the_end_alone_cannot_be_compared_before(plan: MakePlan) -> None:
    search = SEARCH.replace("finetune.lr", "pretrain.lr") + "  by: pretrain\n  metric: val_videos\n"
    search += "  goal: minimize\n"
    (problem,) = refused(plan, f"{HEAD}{HELD_OUT}{search}  pruner: asha\n")
    assert "does not tell 'val_videos' after each epoch" in problem
    assert "take metric val_accuracy, or leave pruner out" in problem


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("pruner: ashaa", "unknown pruner 'ashaa'; did you mean 'asha'? (asha, hyperband, median)"),
        ("pruner: 3", "unknown pruner 3 (asha, hyperband, median)"),
        ("pruner: {grace_period: 3}", "needs a name, such as {name: asha}"),
        (
            "pruner: {name: asha, brackets: 2}",
            "unknown option of asha 'brackets' (grace_period, reduction_factor)",
        ),
        ("pruner: {name: asha, max_t: 9}", "it is the length of the longest try; leave it out"),
        ("pruner: {name: median, hard_stop: false}", "is not paused; leave it out"),
        ("pruner: {name: asha, grace_period: 0}", "must be a whole number above 0, got 0"),
        ("pruner: {name: asha, reduction_factor: 1}", "must be a finite number above 1, got 1"),
        (
            "pruner: {name: asha, grace_period: 20}",
            "none is stopped before epoch 20, and tries are at most 20 epochs long",
        ),
        ("pruner: {name: median, min_samples_required: 8}", "ask for more proposals, or leave"),
        ("pruner: asha\n  metric: val_videos", "unknown metric of finetune on held-out videos"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(plan: MakePlan, more: str, said: str) -> None:
    problems = refused(plan, f"{HEAD}{HELD_OUT}{SEARCH}  {more}\n")
    assert len(problems) == 1
    assert said in problems[0]


def test_a_grid_is_not_pruned(plan: MakePlan) -> None:
    text = "search: {settings: {finetune.lr: [0.1, 0.2]}, sampler: grid, pruner: asha}\n"
    (problem,) = refused(plan, HEAD + HELD_OUT + text)
    assert "take sampler random or qmc, or leave pruner out" in problem


def test_a_slip_elsewhere_is_told_once(plan: MakePlan) -> None:
    text = SEARCH.replace("proposals: 8", "proposals: none") + "  pruner: asha\n"
    (problem,) = refused(plan, HEAD + HELD_OUT + text)
    assert "search.proposals" in problem


def test_the_grace_is_a_share_of_the_length_unless_it_is_given() -> None:
    assert [Pruner("asha").grace(epochs) for epochs in (2, 10, 20, 100)] == [1, 2, 3, 15]
    assert Pruner("asha", {"grace_period": 7}).grace(100) == 7


def test_the_longest_try_counts(read: Read) -> None:
    epochs = "finetune.epochs: {low: 10, high: 40, step: 10}"
    text = SEARCH.replace("settings: {", f"settings: {{{epochs}, ") + "  pruner: asha\n"
    spec = read(HEAD + HELD_OUT.replace(", epochs: 20", "") + text)
    one = Planner(spec, load_kinds(), find_all(spec, spec.path.parent / "none"))
    contests = [each.contest for each in one.tunings.values()]
    assert [(c.epochs, c.grace) for c in contests if c is not None] == [(40, 6)]


def test_a_pruned_search_is_another_one_that_draws_alike(read: Read) -> None:
    plain = planner(read, SEARCH)
    cut, other = (
        planner(read, f"{SEARCH}  pruner: {pruner}\n")
        for pruner in ("asha", "{name: asha, grace_period: 5}")
    )
    keys = [set(one.tunings) for one in (plain, cut, other)]
    assert keys[0].isdisjoint(keys[1] | keys[2])
    assert keys[1].isdisjoint(keys[2])
    for one in (cut, other):
        drawn = [each.contest.drawn_as for each in one.tunings.values() if each.contest]
        assert drawn == list(plain.tunings)


def test_decisions_about_pruning_come_back_as_they_were() -> None:
    pruned = Pruned("a" * 20, 3, "b" * 20, "asha", 3, 30, 0.4, {10: 0.1, 30: 0.4}, {"c": 0.5})
    assert pruned_from_json(pruned_to_json(pruned)) == pruned
    for ended in (Ended("a", 1, 0.5), Ended("a", 2, 0.3, ("b",), pruned=True)):
        assert ended_from_json(ended_to_json(ended)) == ended
    assert "pruned" not in ended_to_json(Ended("a", 1, 0.5))


def test_a_plan_for_what_was_decided_holds_nothing_that_was_stopped(read: Read) -> None:
    one = planner(read, SEARCH + "  pruner: asha\n")
    (key,) = one.tunings
    made = tuple(Proposal(key, n, {"finetune.lr": 0.01 * n}) for n in (1, 2))
    cut = one.plan(Decisions({key: made}, values={key: {1: 0.4}}, pruned={key: frozenset([1])}))
    assert [each.proposal.number for each in cut.proposed] == [2]


def test_a_plan_tells_what_is_stopped_and_between_what_and_what_that_saves(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(HEAD + HELD_OUT + SEARCH + "  pruner: asha\n")
    planned = plan_file(path, tmp_path).imagined(Decisions())
    costed = cost(planned, (), (), Prices(), None)
    told = outline(planned, {}, costed)
    assert "what falls behind is stopped by asha, from epoch 3 on; planned, and simulated" in told
    assert "search.pruner may save between none and" in told
    tries = [costed.estimates[one.results[0]].seconds for one in planned.plan.proposed]
    most = sum(sorted(one or 0.0 for one in tries)[1:]) * 17 / 20 / 3600
    assert costed.bill.stoppable.cpu_hours == pytest.approx(most)
