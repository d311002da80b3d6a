"""Settings that are searched only where others have certain values."""

from itertools import product

import pytest

from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.imagined import imagine
from rotlab.planning.space.points import all_points, applying, num_points
from rotlab.planning.space.ranges import Domain, OneOf, Range
from tests.rotlab.planning.asking import MakePlan, refused
from tests.rotlab.planning.conftest import HEAD
from tests.rotlab.planning.space.test_search import HELD_OUT, Read, planner

TEXT = """search:
  settings:
    finetune.gamma: {low: 0.1, high: 0.5, when: {finetune.schedule: step}}
    finetune.milestones: {values: [[1], [2]], when: {finetune.schedule: step}}
    finetune.schedule: [step, cosine, constant]
  proposals: 12
"""
DOMAINS: dict[str, Domain] = {
    "a": OneOf(("x", "y", "z")),
    "b": OneOf((1, 2), when={"a": ("x", "y")}),
    "c": Range(1, 3, whole=True, when={"a": ("x",), "b": (2,)}),
    "d": Range(0, 1, whole=True),
}


def test_each_follows_those_that_it_hangs_on_whatever_the_order_of_the_file(read: Read) -> None:
    search = read(HEAD + HELD_OUT + TEXT).search
    assert search is not None
    assert next(iter(search.settings)) == "finetune.schedule"
    assert search.settings["finetune.gamma"].when == {"finetune.schedule": ("step",)}
    assert str(search.settings["finetune.gamma"]) == ("0.1 to 0.5 where finetune.schedule is step")


def test_no_try_has_a_setting_whose_condition_it_does_not_meet_and_none_breaks_a_rule(
    read: Read,
) -> None:
    one, search = planner(read, TEXT), read(HEAD + HELD_OUT + TEXT).search
    assert search is not None
    decisions = imagine(one.tunings, search, Decisions(), one.fits)
    (tries,) = decisions.proposals.values()
    assert len({str(each.settings) for each in tries}) == len(tries) == 12
    for each in tries:
        beside = {"finetune.gamma", "finetune.milestones"} & each.settings.keys()
        assert len(beside) == (2 if each.settings["finetune.schedule"] == "step" else 0)
        assert one.fits(each)


def test_what_can_be_had_together_is_counted_and_listed_once_each() -> None:
    points = list(all_points(DOMAINS))
    plain = [domain.points() or () for domain in DOMAINS.values()]
    every = (dict(zip(DOMAINS, values, strict=True)) for values in product(*plain))
    expected = {str(sorted(applying(DOMAINS, one).items())) for one in every}
    assert {str(sorted(one.items())) for one in points} == expected
    assert len(points) == len(expected) == num_points(DOMAINS) == 14
    assert num_points(DOMAINS | {"e": Range(0.0, 1.0, when={"a": ("z",)})}) is None


def test_a_search_ends_once_it_has_tried_all_that_can_be_had_together(read: Read) -> None:
    few = TEXT.replace("{low: 0.1, high: 0.5, when", "{values: [0.1, 0.5], when")
    one = planner(read, few)
    assert [each.points for each in one.tunings.values()] == [2 * 2 + 2]


def test_a_condition_is_another_search_and_one_that_is_not_there_changes_no_key(read: Read) -> None:
    without = TEXT.replace(", when: {finetune.schedule: step}", "")
    keys = [list(planner(read, text).tunings) for text in (TEXT, without)]
    assert keys[0] != keys[1]


def test_where_what_it_hangs_on_is_not_read_it_is_not_searched(read: Read) -> None:
    text = (
        "axes: {init: [rotation, scratch]}\nsearch:\n  settings:\n"
        "    pretext.rotations: [2, 4]\n    finetune.momentum: {low: 0.1, high: 0.9}\n"
        "    finetune.lr: {low: 0.1, high: 0.5, when: {pretext.rotations: 4}}\n  proposals: 4\n"
    )
    found = {one.arms[0]["init"]: one.settings for one in planner(read, text).tunings.values()}
    assert len(found["rotation"]) == 3
    assert found["scratch"] == ("finetune.momentum",)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("{finetune.lr: 0.1}", "when.finetune.lr: is not searched, and a condition hangs on"),
        ("{init: rotation}", "when.init: is an axis, and a condition hangs on settings that are"),
        ("{finetune.momentum: 0.5}", "when.finetune.momentum: has a range, and a condition"),
        ("{finetune.schedule: stepp}", "when.finetune.schedule: must be constant, step or cosine"),
        ("{finetune.schedule: constant}", "finetune.schedule is never constant: it is searched as"),
        ("{finetune.schedule: [step, constant]}", "finetune.schedule is never constant"),
        ("{finetune.gamma: 0.3}", "when.finetune.gamma: has a range"),
        ("{}", "when: names no searched setting"),
        ("step", "when: must be a mapping (finetune.momentum, finetune.schedule), got 'step'"),
    ],
)
def test_a_condition_that_cannot_hold_is_refused_with_its_reason(
    plan: MakePlan, when: str, said: str
) -> None:
    text = (
        "axes: {init: [rotation, scratch]}\n"
        "search:\n  settings:\n    finetune.momentum: {low: 0.1, high: 0.9}\n"
        "    finetune.schedule: [step, cosine]\n"
        f"    finetune.gamma: {{low: 0.1, high: 0.5, when: {when}}}\n  proposals: 4\n"
    )
    found = refused(plan, HEAD + HELD_OUT + text)
    assert any(said in one for one in found), found


def test_conditions_that_go_round_and_those_of_a_population_are_refused(plan: MakePlan) -> None:
    round_about = (
        "search:\n  settings:\n"
        "    finetune.schedule: {values: [step, cosine], when: {finetune.freeze: 0}}\n"
        "    finetune.freeze: {values: [0, 2], when: {finetune.schedule: step}}\n  proposals: 4\n"
    )
    (found,) = refused(plan, HEAD + HELD_OUT + round_about)
    assert "hangs on itself: finetune.schedule and finetune.freeze name one another" in found
    bred = (
        "search:\n  settings:\n    finetune.lr: [0.1, 0.2]\n"
        "    finetune.momentum: {low: 0.1, high: 0.9, when: {finetune.lr: 0.1}}\n"
        "  population: {members: 4, every: 5}\n"
    )
    found = refused(plan, HEAD + HELD_OUT + bred)[0]
    assert "when: does not go with population" in found
    beside = "search: {settings: {finetune.lr: {values: [0.1, 0.2], low: 1}}, proposals: 2}\n"
    (found,) = refused(plan, HEAD + HELD_OUT + beside)
    assert "low: stands beside values" in found
