"""Short stages for one worker, several at a time: which, how many, and what becomes of them."""

import math
from collections.abc import Mapping

import pytest

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Assignment, Conduct
from rotlab.execution.conduct.failures import Failure
from rotlab.execution.conduct.lines import LINE_S, MOST, line_after
from rotlab.execution.conduct.message import Message
from rotlab.execution.conduct.retries import MOST_DEATHS
from rotlab.planning.stage import Resources
from tests.rotlab.execution.conduct.labs import Ear
from tests.rotlab.execution.lab import make_plan, make_stage

_MANY = [f"k{number:03d}" for number in range(200)]


def after(ready: list[str], seconds: float, workers: int = 4, no: str = "") -> list[str]:
    """Return what follows the first of stages that take equally long."""
    return line_after(
        ready[0], lambda most: ready[:most], lambda _: seconds, lambda key: key != no, workers
    )


def test_a_line_is_the_most_urgent_stages_that_end_within_its_time() -> None:
    assert after(_MANY, LINE_S / 4) == _MANY[1:4]
    assert after(_MANY, 0.01) == _MANY[1:MOST]


@pytest.mark.parametrize("seconds", [math.inf, LINE_S + 1, LINE_S, LINE_S * 0.6])
def test_stages_that_are_long_or_not_known_to_be_short_are_given_singly(seconds: float) -> None:
    assert after(_MANY, seconds) == []


@pytest.mark.parametrize(("waiting", "most"), [(200, 8), (40, 5), (24, 3), (15, 1), (1, 1)])
def test_a_worker_gets_half_its_share_at_most(waiting: int, most: int) -> None:
    assert 1 + len(after(_MANY[:waiting], 0.01)) == most


def test_a_stage_that_the_worker_cannot_go_on_with_is_passed_over() -> None:
    assert after(_MANY, LINE_S / 4, no=_MANY[2]) == [_MANY[1], *_MANY[3:5]]


class Rush:
    """Forty stages of one kind, two to a line, on two cores; one of them has ended."""

    def __init__(self, shares: Mapping[int, Resources] | None = None) -> None:
        self.stages = [make_stage("count", name=str(number)) for number in range(40)]
        self.ear = Ear()
        self.conduct = Conduct(
            make_plan(self.stages),
            {},
            {"count": Resources(1, 0)},
            lambda: Capacity(2.0, 0),
            self.ear,
            clock=lambda: 100.0,
            shares={self.stages[at].key: share for at, share in (shares or {}).items()},
        )
        first = self.start()
        assert first.then == ()  # nothing is known of the kind yet
        self.end(first)

    def start(self) -> Assignment:
        proposed = self.conduct.propose()
        assert isinstance(proposed, Assignment)
        self.conduct.began(proposed.key, proposed.attempt)
        return proposed

    def end(self, one: Assignment, state: str = "FINISHED") -> None:
        message = Message(state, seconds=0.4 * LINE_S, error="no", cause="bug")  # type: ignore[arg-type]
        self.conduct.heard(one.key, one.attempt, message)

    def told(self, one: Assignment) -> list[str]:
        return [event["event"] for event in self.ear.events if event.get("key") == one.key]


def test_each_stage_of_a_line_is_told_of_by_itself() -> None:
    rush = Rush()
    first = rush.start()
    (second,) = first.then
    assert second.key == rush.stages[2].key
    assert (rush.told(first), rush.told(second)) == (["stage_started"], [])
    counts = rush.conduct.snapshot().counts["count"]
    assert (counts.running, counts.waiting) == (1, 38)
    rush.end(first)
    assert rush.told(first) == [*rush.told(second), "stage_ended"]
    rush.end(second)
    assert rush.told(second) == ["stage_started", "stage_ended"]


def test_a_line_takes_the_room_of_one() -> None:
    rush = Rush()
    for _ in range(3):  # one for each core, and one that waits
        assert len(rush.start().then) == 1
    assert rush.conduct.propose() is None


def test_what_stood_in_line_behind_a_failure_runs_all_the_same() -> None:
    rush = Rush()
    first = rush.start()
    (second,) = first.then
    rush.end(first, "FAILED")
    for one in (first, second):
        rush.conduct.died(one.key, one.attempt, Failure("worker", "raised what it had reported"))
    assert set(rush.conduct.failures) == {first.key}
    assert rush.told(second) == []
    assert rush.start().key == second.key


def test_what_stood_in_line_when_workers_died_has_not_died() -> None:
    rush = Rush()
    for _ in range(MOST_DEATHS["worker"]):
        first = rush.start()
        for one in (first, *first.then):
            rush.conduct.died(one.key, one.attempt, Failure("worker", "killed"))
    assert set(rush.conduct.failures) == {first.key}
    assert rush.told(first.then[0]) == []


def test_a_worker_goes_on_behind_a_stage_that_another_driver_holds() -> None:
    rush = Rush()
    first = rush.start()
    rush.end(first, "HELD")
    (second,) = first.then
    assert rush.told(second) == ["stage_started"]
    rush.end(second)
    assert rush.told(second) == ["stage_started", "stage_ended"]


def test_a_stage_with_a_share_of_its_own_stands_in_no_line() -> None:
    rush = Rush(shares={2: Resources(2, 0)})
    assert [one.key for one in rush.start().then] == [rush.stages[3].key]
