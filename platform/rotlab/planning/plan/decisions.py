"""What searches and looks have decided so far: what is tried and taken, and which arms go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rotlab.planning.key import canonical
from rotlab.planning.space.allowance import Allowance, Hours
from rotlab.planning.space.looks import Look
from rotlab.planning.space.objectives import Objective
from rotlab.planning.space.population import Population


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
        pruned: it was stopped before its end; the value is what it had come to.
        others: values of the search's other objectives, in order; empty where there are none.
        hours: that it used, less what those before it needed too; None where none were asked for.
    """

    tuning: str
    number: int
    value: float | None
    results: tuple[str, ...] = ()
    pruned: bool = False
    others: tuple[float, ...] = ()
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """That a stage is stopped before its end, and by what.

    Args:
        tuning: key of the search.
        number: of the proposal that the stage is of.
        key: of the stage.
        because: the rule that decided, in words.
        epoch: after which it decided; 0 where the stage had told nothing yet.
        step: likewise.
        value: of the metric, as it was told last; None where it never was.
        curve: step -> value, of all that it told.
        beside: key -> value at that epoch, or the last before, of stages it was compared with.
    """

    tuning: str
    number: int
    key: str
    because: str
    epoch: int
    step: int
    value: float | None
    curve: Mapping[int, float]
    beside: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Winner:
    """The settings that a search ends with.

    Args:
        tuning: key of the search.
        number: of the proposal.
        settings: of the proposal.
        value: of its metric, on held-out videos.
        values: number -> value of every proposal, None where it failed.
        pruned: numbers of those that were stopped before their end.
        others: number -> values of the other objectives, in order, where there are several.
        front: numbers of the Pareto front, likewise.
        within: how far from the best by the metric it may be, likewise.
    """

    tuning: str
    number: int
    settings: Mapping[str, Any]
    value: float
    values: Mapping[int, float | None]
    pruned: tuple[int, ...] = ()
    others: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    front: tuple[int, ...] = ()
    within: float = 0.0

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
        pruned: key of a search -> numbers of those among them that were stopped before their end;
            a plan for these decisions holds none of them.
        hours: key of a search -> number -> hours that a proposal which has ended used, as far as
            the search counts them.
        others: key of a search -> number -> values of the objectives beside the metric.
    """

    proposals: Mapping[str, tuple[Proposal, ...]] = field(default_factory=dict)
    winners: Mapping[str, Winner] = field(default_factory=dict)
    looks: Mapping[str, tuple[Look, ...]] = field(default_factory=dict)
    values: Mapping[str, Mapping[int, float | None]] = field(default_factory=dict)
    pruned: Mapping[str, frozenset[int]] = field(default_factory=dict)
    hours: Mapping[str, Mapping[int, Hours]] = field(default_factory=dict)
    others: Mapping[str, Mapping[int, tuple[float, ...]]] = field(default_factory=dict)

    def proposed(self, tuning: str) -> tuple[Proposal, ...]:
        """Return the proposals of a search, in order."""
        return self.proposals.get(tuning, ())

    def is_given_up(self, proposal: Proposal) -> bool:
        """Say whether a proposal counts as failed, for good, or was stopped before its end."""
        has_failed = self.values.get(proposal.tuning, {}).get(proposal.number, 0.0) is None
        return has_failed or proposal.number in self.pruned.get(proposal.tuning, ())


@dataclass(frozen=True, slots=True)
class Contest:
    """How the proposals of a search are compared while they are at work.

    Args:
        drawn_as: key by which proposals are drawn: of the same search without a pruner, so that
            both try the same as long as they know the same.
        epochs: length of the longest.
        grace: epochs before which none is stopped.
        whole: how many get to their end at least.
    """

    drawn_as: str
    epochs: int
    grace: int
    whole: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """One search: of an arm on a split of a target, or of several arms that share it.

    Args:
        key: of what it searches: its stages as they are without it, ranges, metric and sampler.
        settings: names of those that it tunes: of the search, those that its stages read.
        arms: axis -> value, of each arm that takes its winner.
        target: name of the data set.
        modality: of the networks.
        proposals: how many it is to try, at most where it has hours.
        split: of the target, whose cells take its winner; None: all that there are do.
        contest: by which proposals may be stopped; None: all get to their end.
        points: different settings that there are, where those are fewer than proposals; else None.
        population: whose members it tries, generation after generation; None: each try is by
            itself.
        allowance: hours that it may take; None: as many as it takes.
        objectives: all that tries are judged by, the metric first, where that is more than one.
        within: how far from the best by the metric the winner may be, likewise.
    """

    key: str
    settings: tuple[str, ...]
    arms: tuple[Mapping[str, Any], ...]
    target: str
    modality: str
    proposals: int
    split: int | None = None
    contest: Contest | None = None
    points: int | None = None
    population: Population | None = None
    allowance: Allowance | None = None
    objectives: tuple[Objective, ...] = ()
    within: float = 0.0

    def ends_after(
        self, proposals: Sequence[Proposal], hours: Mapping[int, Hours] | None = None
    ) -> int:
        """Return after how many proposals it ends, by those that were made, in order from 1.

        That is as many as it is to try, or fewer where they are all that there are, or have used
        the hours that there are.

        Args:
            proposals: that were made.
            hours: number -> hours that a proposal which has ended used.
        """
        if self.points is not None:
            tried: set[str] = set()
            for one in proposals:
                tried.add(canonical(dict(one.settings)))
                if len(tried) == self.points:
                    return one.number
        if self.allowance is not None:
            unit = self.allowance.unit
            known = [(hours or {}).get(one.number) for one in proposals]
            used = [None if one is None else one[unit] for one in known]
            if self.allowance.is_used_up(len(used), used):
                return min(len(used), self.proposals)
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
