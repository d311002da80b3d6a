"""Runs on one cluster hear of one another: who waits, who has gone, who takes nothing."""

from pathlib import Path

import pytest

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Assignment, Conduct, Event
from rotlab.execution.conduct.neighbours import EVERY_S, LAPSE_S, STALE_S, WAIT_S, Neighbours
from rotlab.planning.release.fairness import Wish
from rotlab.planning.stage import Resources
from tests.rotlab.execution.lab import make_plan, make_stage


class Pair:
    """Two runs on a cluster of four slots, each with a clock that is the same."""

    def __init__(self, folder: Path) -> None:
        self.now, self.folder = 100.0, folder
        self.a, self.b = (Neighbours(folder, name, lambda: self.now) for name in "ab")
        self.use = {"a": 1.0, "b": 0.0}
        self.is_there = True

    def wait(self, seconds: float) -> float | None:
        """Let time pass, and return what the first may take then."""
        end, found = self.now + seconds, None
        while self.now < end:
            self.now += EVERY_S
            if self.is_there:
                self.b.look(lambda: Wish("b", 1.0, self.use["b"], 0.25))
            found = self.a.look(lambda: Wish("a", 1.0, self.use["a"], 0.25))
        return found


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "clusters" / "x")


def test_one_that_has_waited_is_given_way_to_until_it_has_its_share(pair: Pair) -> None:
    assert pair.wait(WAIT_S / 2) is None
    assert pair.wait(WAIT_S) == 0.5
    pair.use = {"a": 0.5, "b": 0.5}
    assert pair.wait(2) is None


def test_one_that_has_gone_or_stands_still_counts_no_more(pair: Pair) -> None:
    assert pair.wait(2 * WAIT_S) == 0.5
    pair.is_there = False
    assert pair.wait(STALE_S / 2) == 0.5
    assert pair.wait(STALE_S) is None
    pair.is_there = True
    assert pair.wait(2 * WAIT_S) == 0.5
    pair.is_there = False
    pair.b.leave()
    assert pair.wait(2) is None


def test_one_that_takes_nothing_of_free_room_is_given_way_to_no_longer(pair: Pair) -> None:
    assert pair.wait(2 * WAIT_S) == 0.5
    pair.use["a"] = 0.5
    assert pair.wait(LAPSE_S / 2) is None or pair.wait(1) == 0.5
    pair.use["a"] = 0.75
    assert pair.wait(LAPSE_S) is None


def test_what_a_killed_run_has_left_is_never_given_way_to_and_goes(pair: Pair) -> None:
    pair.b.look(lambda: Wish("b", 1.0, 0.0, 0.25))
    pair.is_there = False
    for _ in range(int(STALE_S) + 2):
        assert pair.wait(EVERY_S) is None
    assert [path.name for path in pair.folder.iterdir()] == ["a.json"]


def test_a_torn_wish_is_none(pair: Pair) -> None:
    pair.is_there = False
    pair.folder.mkdir(parents=True)
    (pair.folder / "c.json").write_text('{"study": "c", "we')
    assert pair.wait(2 * WAIT_S) is None


class Deaf:
    def record(self, event: Event) -> None:
        """Hear nothing."""


def started(conduct: Conduct) -> list[Assignment]:
    """Take all that is released."""
    found = []
    while isinstance(one := conduct.propose(), Assignment):
        found.append(one)
    return found


def test_what_waits_beyond_the_limit_is_taken_back_and_released_again_later() -> None:
    stages = [make_stage("count", name=f"{number}") for number in range(12)]
    conduct = Conduct(
        make_plan(stages),
        {},
        {"count": Resources(1, 0)},
        lambda: Capacity(4, 0, pending=3),
        Deaf(),
    )
    released = started(conduct)
    assert len(released) == 7
    for one in released[:4]:
        conduct.began(one.key, one.attempt)
    assert conduct.wish("lab", 1.0) == Wish("lab", 1.0, 1.0, 0.25)
    conduct.limit = 0.5
    assert conduct.is_over
    assert [conduct.withdraws(one.key, one.attempt) for one in released] == [False] * 4 + [True] * 3
    assert conduct.propose() is None
    conduct.limit = None
    assert {one.key for one in started(conduct)} == {one.key for one in released[4:]}


def test_one_stage_is_always_taken() -> None:
    conduct = Conduct(
        make_plan([make_stage("count", name="a"), make_stage("count", name="b")]),
        {},
        {"count": Resources(4, 0)},
        lambda: Capacity(4, 0),
        Deaf(),
    )
    conduct.limit = 0.3
    assert len(started(conduct)) == 1
