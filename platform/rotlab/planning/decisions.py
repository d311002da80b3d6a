"""What searches and looks have decided so far: what is tried and taken, and which arms go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rotlab.planning.key import canonical
from rotlab.planning.looks import Look


@dataclass(frozen=True, slots=True)
class Proposal:
    """Settings that a search tries.

    Args:
        tuning: key of the search.
        number: counted from 1.
        settings: "section.field" -> value.
        notes: what the sampler wants to find again: name -> plain value.
    """

    tuning: str
    number: int
    settings: Mapping[str, Any]
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a proposal ended, as it counts from when it was first made use of.

    Args:
        tuning: key of the search.
        number: of the proposal.
        value: of its metric; None where it failed.
        results: keys of the stages that gave the value, or were to.
    """

    tuning: str
    number: int
    value: float | None
    results: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Winner:
    """The settings that a search ends with.

    Args:
        tuning: key of the search.
        number: of the proposal.
        settings: of the proposal.
        value: of its metric, on held-out videos.
        values: number -> value of every proposal, None where it failed.
    """

    tuning: str
    number: int
    settings: Mapping[str, Any]
    value: float
    values: Mapping[int, float | None]

    @property
    def proposals(self) -> int:
        """Of how many proposals it is the best."""
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What searches and looks have decided.

    Args:
        proposals: key of a search -> its proposals, in order from 1.
        winners: key of a search -> its winner.
        looks: key of a family -> its looks, in order from 1.
        values: key of a search -> number -> value of proposals that have ended, None of those that
            failed: nobody waits for them.
    """

    proposals: Mapping[str, tuple[Proposal, ...]] = field(default_factory=dict)
    winners: Mapping[str, Winner] = field(default_factory=dict)
    looks: Mapping[str, tuple[Look, ...]] = field(default_factory=dict)
    values: Mapping[str, Mapping[int, float | None]] = field(default_factory=dict)

    def proposed(self, tuning: str) -> tuple[Proposal, ...]:
        """Return the proposals of a search, in order."""
        return self.proposals.get(tuning, ())

    def has_failed(self, proposal: Proposal) -> bool:
        """Say whether a proposal counts as failed, for good."""
        return self.values.get(proposal.tuning, {}).get(proposal.number, 0.0) is None


@dataclass(frozen=True, slots=True)
class Tuning:
    """One search: of an arm on a split of a target, or of several arms that share it.

    Args:
        key: of what it searches: its stages as they are without it, ranges, metric and sampler.
        settings: names of those that it tunes: of the search, those that its stages read.
        arms: axis -> value, of each arm that takes its winner.
        target: name of the data set.
        modality: of the networks.
        proposals: how many it is to try.
        split: of the target, whose cells take its winner; None: all that there are do.
        points: different settings that there are, where those are fewer than proposals; else None.
    """

    key: str
    settings: tuple[str, ...]
    arms: tuple[Mapping[str, Any], ...]
    target: str
    modality: str
    proposals: int
    split: int | None = None
    points: int | None = None

    def ends_after(self, proposals: Sequence[Proposal]) -> int:
        """Return after how many proposals it ends, by those that were made, in order from 1.

        That is as many as it is to try, or fewer where they are all that there are.
        """
        if self.points is not None:
            tried: set[str] = set()
            for one in proposals:
                tried.add(canonical(dict(one.settings)))
                if len(tried) == self.points:
                    return one.number
        return self.proposals

    @property
    def place(self) -> str:
        """Where it is judged, in words."""
        return self.target if self.split is None else f"{self.target}, split {self.split}"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal as stages of a plan.

    Args:
        proposal: what is tried.
        results: keys of the stages whose metric judges it; their mean counts.
        stages: keys of all that it needs, parents first.
    """

    proposal: Proposal
    results: tuple[str, ...]
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A cell whose settings a search has still to find.

    Args:
        arm, target, replicate, measure: as of the cell that it will be.
        place: how many rows of the results stand before it.
    """

    arm: Mapping[str, Any]
    target: str
    replicate: Mapping[str, int]
    measure: str
    place: int
