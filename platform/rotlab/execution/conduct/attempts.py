"""Attempts of a run that were released and have not ended: at work, waiting, or next in line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rotlab.execution.conduct.capacity import Capacity
from rotlab.planning.stage import Resources


class Name(NamedTuple):
    """What tells an attempt from all others: its stage's key, and its own identity."""

    key: str
    attempt: str


@dataclass(slots=True)
class Attempt:
    """A released attempt at a stage.

    Args:
        attempt: its identity.
        resources: what its worker is given.
        released: when it was.
        has_room: there is room for a worker of its own; else it waits for one that comes free.
        is_in_line: its worker has other stages to do first.
        then: what its worker goes on with, if anything.
        since: when a worker took it; None until then.
        step: the last one that was heard of.
        metrics: as last heard of.
    """

    attempt: str
    resources: Resources
    released: float
    has_room: bool = True
    is_in_line: bool = False
    then: Name | None = None
    since: float | None = None
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


class Attempts:
    """Released attempts by their stages' keys; a stage has one at most."""

    def __init__(self) -> None:
        self._by_key: dict[str, Attempt] = {}

    def add(self, line: Iterable[Name], resources: Resources, now: float) -> None:
        """Take attempts that one worker is to do, one after the other."""
        names = list(line)
        followers = (*names[1:], None)
        for number, (name, then) in enumerate(zip(names, followers, strict=True)):
            self._by_key[name.key] = Attempt(
                name.attempt, resources, now, is_in_line=number > 0, then=then
            )

    def find(self, key: str, attempt: str) -> Attempt | None:
        """Return an attempt, or None if it has ended."""
        found = self._by_key.get(key)
        return found if found is not None and found.attempt == attempt else None

    def at(self, key: str) -> Attempt:
        """Return the attempt at a stage that has one."""
        return self._by_key[key]

    def pop(self, key: str) -> Attempt:
        """Return a stage's attempt, and forget it."""
        return self._by_key.pop(key)

    def all(self) -> Mapping[str, Attempt]:
        """Return key -> attempt, as it stands now."""
        return dict(self._by_key)

    def held(self) -> list[Resources]:
        """Return what workers have or wait for, each once: at work first, then as released."""
        return [one.resources for one in self._ordered()]

    def settle(self, capacity: Capacity) -> None:
        """Find out which have no room, or none any more; those wait for a worker that comes free.

        That stays so: what comes free first is theirs, in the order of their release.
        """
        ordered = self._ordered()
        room = capacity.room(one.resources for one in ordered)
        for one, has_room in zip(ordered, room, strict=True):
            one.has_room &= has_room

    def _ordered(self) -> list[Attempt]:
        named = (one for one in self._by_key.values() if not one.is_in_line)
        return sorted(named, key=lambda one: one.since is None)

    def running(self) -> list[Resources]:
        """Return what workers at work have."""
        return [one.resources for one in self._by_key.values() if one.since is not None]

    def waiting(self) -> list[Resources]:
        """Return what those wait for that have no worker, and are in line for none."""
        named = self._by_key.values()
        return [one.resources for one in named if one.since is None and not one.is_in_line]

    def in_want(self, moment: float) -> list[str]:
        """Return the keys of those that have been waiting for room since a moment."""
        return [
            key
            for key, one in self._by_key.items()
            if one.since is None and not (one.is_in_line or one.has_room) and one.released <= moment
        ]

    @property
    def are_idle(self) -> bool:
        """Whether no worker is at a stage."""
        return all(one.since is None for one in self._by_key.values())
