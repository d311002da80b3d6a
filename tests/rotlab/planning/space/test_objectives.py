"""Searches with several objectives: the Pareto front, what is taken of it, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotlab.planning.kinds import load_kinds
from rotlab.planning.outline.outline import outline
from rotlab.planning.plan.decisions import Decisions, Ended, Proposal, Winner
from rotlab.planning.plan.findings import findings
from rotlab.planning.plan.fronts import fronts
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.plan.serial import plan_from_json, plan_to_json
from rotlab.planning.plan.serial_searches import (
    ended_from_json,
    ended_to_json,
    winner_from_json,
    winner_to_json,
)
from rotlab.planning.space.objectives import Objective, best, pareto_front
from rotlab.planning.space.spec import Spec
from rotlab.reporting.page.searches import found_html, fronts_html
from tests.rotlab.planning.asking import MakePlan, refused
from tests.rotlab.planning.conftest import HEAD

Read = Callable[[str], Spec]
HELD_OUT = "finetune: {val_fraction: 0.25, final: train+val}\n"
BOTH = (
    "search: {settings: {finetune.lr: {low: 0.001, high: 0.1, log: true}}, proposals: 3, "
    "metric: {val_accuracy: maximize, gpu_hours: minimize}}\n"
)
OBJECTIVES = (
    Objective("val_accuracy", "maximize"),
    Objective("gpu_hours", "minimize"),
    Objective("val_loss", "minimize"),
)
POINTS = st.dictionaries(
    st.integers(1, 30),
    st.tuples(*[st.integers(0, 5).map(float)] * 3),
    min_size=1,
    max_size=12,
)


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether one is better in something and worse in nothing."""
    own = (one[0], -one[1], -one[2])
    its = (other[0], -other[1], -other[2])
    return own != its and all(mine >= theirs for mine, theirs in zip(own, its, strict=True))


@given(points=POINTS)
def test_on_the_front_is_what_nothing_dominates_and_nothing_else(
    points: dict[int, tuple[float, ...]],
) -> None:
    front = pareto_front(points, OBJECTIVES)
    for number, own in points.items():
        assert (number in front) != any(dominates(other, own) for other in points.values())


@given(points=POINTS, within=st.floats(0, 6))
def test_what_is_taken_is_on_the_front_and_as_near_as_it_may_be(
    points: dict[int, tuple[float, ...]], within: float
) -> None:
    number = best(points, OBJECTIVES, within)
    assert number in pareto_front(points, OBJECTIVES)
    top = max(first for first, *_ in points.values())
    near = [values for values in points.values() if top - values[0] <= within]
    assert points[number] in near
    assert points[number][1] == min(values[1] for values in near)


@given(values=st.lists(st.floats(-9, 9), min_size=1, max_size=9), most=st.booleans())
def test_of_one_objective_the_first_of_the_best_is_taken(values: list[float], most: bool) -> None:
    points = {number: (value,) for number, value in enumerate(values, 1)}
    goal = "maximize" if most else "minimize"
    found = best(points, [Objective("val_loss", goal)])
    assert found == values.index(max(values) if most else min(values)) + 1


def test_a_hundredth_apart_is_within_a_hundredth() -> None:
    points = {1: (0.62, 3.0, 0.0), 2: (0.61, 1.0, 0.0), 3: (0.5, 0.5, 0.0)}
    assert best(points, OBJECTIVES) == 1
    assert best(points, OBJECTIVES, 0.01) == 2
    assert best(points, OBJECTIVES, 0.2) == 3


def test_objectives_are_read_in_the_order_in_which_they_stand(read: Read) -> None:
    search = read(HEAD + HELD_OUT + BOTH).search
    assert search is not None
    assert search.objectives == OBJECTIVES[:2]
    assert (search.metric, search.goal, search.within) == ("val_accuracy", "maximize", 0.0)
    text = BOTH.replace("}}\n", "}, choose: {within: 0.02}}\n")
    other = read(HEAD + HELD_OUT + text).search
    assert other is not None
    assert other.within == 0.02


def test_one_objective_with_its_goal_is_the_search_that_metric_and_goal_are(
    plan: MakePlan,
) -> None:
    one = BOTH.replace("{val_accuracy: maximize, gpu_hours: minimize}", "{val_loss: minimize}")
    other = BOTH.replace(
        "{val_accuracy: maximize, gpu_hours: minimize}", "val_loss, goal: minimize"
    )
    texts = (one, other, BOTH)
    keys = [set(plan(HEAD + HELD_OUT + text).tunings) for text in texts]
    assert keys[0] == keys[1] != keys[2]


def test_what_is_chosen_is_no_part_of_what_is_tried(plan: MakePlan) -> None:
    near = BOTH.replace("}}\n", "}, choose: {within: 0.02}}\n")
    made = [plan(HEAD + HELD_OUT + text) for text in (BOTH, near)]
    assert made[0].tunings.keys() == made[1].tunings.keys()
    for one in made:
        assert plan_from_json(plan_to_json(one), load_kinds()).tunings == one.tunings


def test_a_plan_says_what_wins(read: Read, tmp_path: Path) -> None:
    read(HEAD + HELD_OUT + BOTH.replace("}}\n", "}, choose: {within: 0.02}}\n"))
    planned = plan_file(tmp_path / "space.yaml", tmp_path / "none").imagined(Decisions())
    assert (
        "for the highest val_accuracy of finetune on held-out videos and the lowest gpu_hours; the "
        "lowest gpu_hours within 0.02 of the first wins"
    ) in outline(planned, {})


def test_decisions_of_several_objectives_are_what_was_written() -> None:
    ended = Ended("t", 1, 0.5, ("a",), others=(0.25, 3.0))
    winner = Winner(
        "t", 2, {"finetune.lr": 0.1}, 0.6, {1: None, 2: 0.6}, (), {2: (0.25,)}, (2,), 0.01
    )
    assert ended_from_json(ended_to_json(ended)) == ended
    assert winner_from_json(winner_to_json(winner)) == winner
    plain = winner_to_json(Winner("t", 1, {}, 0.5, {1: 0.5}))
    assert plain.keys() == {"tuning", "number", "settings", "value", "values"}


def test_a_front_is_told_as_far_as_tries_have_ended(plan: MakePlan) -> None:
    made = plan(HEAD + HELD_OUT + BOTH)
    (key,) = made.tunings
    came_to = {1: (0.5, 2.0), 2: (0.7, 3.0), 3: (0.4, 2.5), 4: None}
    decisions = Decisions(
        {key: tuple(Proposal(key, number, {"finetune.lr": 0.1 * number}) for number in came_to)},
        values={key: {n: None if one is None else one[0] for n, one in came_to.items()}},
        others={key: {n: one[1:] for n, one in came_to.items() if one is not None}},
    )
    (front,) = fronts(made.tunings, decisions)
    assert [one.number for one in front.members] == [2, 1]
    assert front.tried == 3
    assert not any(one.wins for one in front.members)
    shown = fronts_html([front])
    assert "highest val_accuracy" in shown
    assert "finetune.lr=0.2" in shown
    assert fronts_html([]) == ""


def test_what_a_search_found_is_told_with_what_it_took(plan: MakePlan) -> None:
    text = "search: {settings: {finetune.lr: {low: 0.1, high: 0.9}}, budget: {cpu_hours: 3}}\n"
    made = plan(HEAD + HELD_OUT + "axes: {init: [rotation, scratch]}\n" + text)
    ended, running = made.tunings
    values = {1: 0.5, 2: None, 3: 0.4}
    winner = Winner(ended, 1, {"finetune.lr": 0.25}, 0.5, values, (3,))
    decisions = Decisions(
        {ended: tuple(Proposal(ended, number, {"finetune.lr": 0.25}) for number in values)},
        {ended: winner},
        values={ended: values},
        pruned={ended: frozenset({3})},
        hours={ended: {number: {"gpu_hours": 0.0, "cpu_hours": 1.1} for number in values}},
    )
    one, other = findings(made.tunings, decisions)
    assert (one.made, one.failed, one.stopped, one.number, one.value) == (3, 1, 1, 1, 0.5)
    assert one.hours == pytest.approx(3.3)
    assert (other.tuning.key, other.made, other.number) == (running, 0, None)
    shown = found_html([one, other])
    for said in ("finetune.lr=0.25 (proposal 1)", "3.3 of 3 core-hours", "not decided"):
        assert said in shown
    assert "stopped" not in found_html([other])
    assert found_html([]) == ""


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("{val_accuracy: most}", "search.metric.val_accuracy: unknown goal 'most'"),
        ("{val_accuracy: maximize, gpu_hours: maximize}",
         "search.metric.gpu_hours: must be minimize, got maximize: nobody wants"),
        ("{gpu_hours: minimize, val_accuracy: maximize}",
         "search.metric: begins with gpu_hours, by which the shortest training is the best"),
        ("{gpu_hours: minimize}", "search.metric: begins with gpu_hours"),
        ("{}", "search.metric: is empty; name what decides"),
        ("{accuracy: maximize, gpu_hours: minimize}",
         "search.metric.accuracy: unknown metric of finetune on held-out videos 'accuracy'"),
        ("{val_accuracy: maximize, gpu_hour: minimize}",
         "on held-out videos 'gpu_hour'; did you mean 'gpu_hours'?"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, goal: maximize",
         "search.goal: stands in metric, beside each of several"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, pruner: asha",
         "search.pruner: stops tries by one metric, and metric names several; leave pruner out"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, sampler: cmaes",
         "search.sampler: cmaes proposes by one metric, and metric names several; take tpe, gp"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, choose: front", "search.choose: must be"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, choose: {within: 0}",
         "search.choose.within: must be a finite number greater than 0, got 0"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, choose: {}",
         "search.choose.within: must be a finite number greater than 0, got null"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, choose: {by: 1}",
         "search.choose.by: unknown rule 'by'"),
        ("val_accuracy, choose: {within: 0.1}",
         "search.choose: chooses between several objectives, and metric names one"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, "
         "sampler: {name: nsgaii, population_size: 1}", "must be a whole number above 1, got 1"),
        ("{val_accuracy: maximize, gpu_hours: minimize}, "
         "sampler: {name: nsgaii, mutation_prob: 1.5}", "must be a number from 0 to 1, got 1.5"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_by_is_refused_with_its_reason(
    plan: MakePlan, metric: str, said: str
) -> None:
    text = BOTH.replace("{val_accuracy: maximize, gpu_hours: minimize}", metric)
    found = refused(plan, HEAD + HELD_OUT + text)
    assert any(said in one for one in found), found
    assert len(found) == 1, found
