"""Runs as their drivers see them, of small stages, and who listens to them."""

from typing import Any

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Assignment, Conduct, Event, Policy
from rotlab.execution.conduct.message import Message
from rotlab.planning.stage import Resources, Stage
from tests.rotlab.execution.lab import make_plan, make_stage


class Ear:
    """Remembers events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)

    def ends(self) -> dict[str, str]:
        return {e["key"]: e["state"] for e in self.events if e["event"] == "stage_ended"}


class Lab:
    """Two counts, a total of both, and a total of the first alone."""

    def __init__(self, cpus: float = 1.0, policy: Policy | None = None) -> None:
        self.a, self.b = make_stage("count", name="a"), make_stage("count", name="b")
        self.both = make_stage("total", {"a": self.a, "b": self.b}, name="both")
        self.one = make_stage("total", {"a": self.a}, name="one")
        self.ear, self.now = Ear(), 100.0
        self.conduct = Conduct(
            make_plan([self.a, self.b, self.both, self.one]),
            {},
            {"count": Resources(1, 0), "total": Resources(1, 0)},
            lambda: Capacity(cpus, 0),
            self.ear,
            clock=lambda: self.now,
            policy=policy,
        )

    def start(self) -> Assignment:
        proposed = self.conduct.propose()
        assert isinstance(proposed, Assignment)
        self.conduct.began(proposed.key, proposed.attempt)
        return proposed

    def end(self, one: Assignment, state: Any = "FINISHED", **values: Any) -> None:
        self.conduct.heard(one.key, one.attempt, Message(state, **values))


def keys(*stages: Stage) -> list[str]:
    return [stage.key for stage in stages]


class TwoSizes(Lab):
    """Counts of one core, and totals of four, one after the other, of which the first takes one."""

    def __init__(self, nodes: tuple[tuple[float, float], ...] = ()) -> None:
        self.counts = [make_stage("count", name=f"c{number}") for number in range(9)]
        self.large = make_stage("total", {"a": self.counts[0]}, name="large")
        later = make_stage("total", {"a": self.large}, name="later")
        last = make_stage("total", {"a": later}, name="last")
        self.ear, self.now = Ear(), 100.0
        self.conduct = Conduct(
            make_plan([*self.counts, self.large, later, last]),
            {},
            {"count": Resources(1, 0), "total": Resources(4, 0)},
            lambda: Capacity(4, 0, nodes),
            self.ear,
            clock=lambda: self.now,
        )

    def release_all(self) -> list[Assignment]:
        found = []
        while isinstance(one := self.conduct.propose(), Assignment):
            found.append(one)
        return found

    def until_the_large_one_waits(self) -> list[Assignment]:
        """Return the counts that were released, the first three of them at work."""
        first = self.release_all()
        assert [one.key for one in first] == keys(*self.counts[:5])  # four fit, and one may wait
        for one in first[:4]:
            self.conduct.began(one.key, one.attempt)
        self.end(first[0])
        large, spare = self.release_all()
        assert (large.key, spare.key) == (self.large.key, self.counts[5].key)
        self.conduct.began(first[4].key, first[4].attempt)  # by the worker that came free
        return first[1:]
