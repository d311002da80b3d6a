"""The lineage of a population: which member took over from which, and what it was trained by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotlab.planning.plan.breeding import PARENT, in_force
from rotlab.planning.plan.decisions import Decisions, Proposal, Tuning
from rotlab.planning.space.population import Population

_MOST_ARMS = 4  # that share a population; more are counted only


@dataclass(frozen=True, slots=True)
class Segment:
    """What one member was trained by in one generation, and from where it went on.

    Args:
        number: of the proposal.
        generation: counted from 1.
        member: counted from 1.
        parent: number of the segment that it went on from; None: of none.
        took_over: it went on from another member than itself.
        settings: "section.field" -> value, of those that are searched.
        value: of the metric at its end; None: it failed, or has not ended.
    """

    number: int
    generation: int
    member: int
    parent: int | None
    took_over: bool
    settings: Mapping[str, Any]
    value: float | None


@dataclass(frozen=True, slots=True)
class Pedigree:
    """All segments of a population so far.

    Args:
        tuning: its search.
        population: that it is.
        segments: in the order of their numbers, which count from 1.
        winner: number of the segment that won; None: that is not decided.
    """

    tuning: Tuning
    population: Population
    segments: tuple[Segment, ...]
    winner: int | None

    @property
    def name(self) -> str:
        """Whose it is, in words."""
        told = self.tuning.arms[:_MOST_ARMS]
        arms = "; ".join(", ".join(f"{axis}={one}" for axis, one in arm.items()) for arm in told)
        more = len(self.tuning.arms) - len(told)
        said = f"{arms or 'all arms'}{f' and {more} more' * bool(more)}"
        return f"{said} on {self.tuning.place}, {self.tuning.modality}"

    @property
    def generations(self) -> int:
        """How many there are to be."""
        return self.tuning.proposals // self.population.members

    def take_overs(self) -> list[Segment]:
        """Return the segments of members that took over from another, in order."""
        return [one for one in self.segments if one.took_over]

    def ancestry(self, number: int) -> list[Segment]:
        """Return what a segment came from, the first generation first, and itself last."""
        found = [self.segments[number - 1]]
        while (parent := found[0].parent) is not None:
            found.insert(0, self.segments[parent - 1])
        return found

    def before(self, segment: Segment) -> Segment:
        """Return what a member that took over was in the generation before."""
        return self.segments[segment.number - 1 - self.population.members]

    def epochs(self, segment: Segment) -> tuple[int, int]:
        """Return [start, end) of the epochs in which a segment was trained."""
        end = segment.generation * self.population.every
        return end - self.population.every, end


def pedigrees(tunings: Mapping[str, Tuning], decisions: Decisions) -> list[Pedigree]:
    """Return the lineage of each population among searches.

    Args:
        tunings: key -> search.
        decisions: of them.
    """
    found = []
    for key, tuning in tunings.items():
        if tuning.population is None:
            continue
        winner = decisions.winners.get(key)
        values = decisions.values.get(key, {})
        segments = _segments(tuning.population, decisions.proposed(key), values)
        number = None if winner is None else winner.number
        found.append(Pedigree(tuning, tuning.population, tuple(segments), number))
    return found


def take_over_line(pedigree: Pedigree, segment: Segment) -> str:
    """Return one line on a member that took over from another.

    Example:
        "after epoch 5, member 4 (0.25) took over from member 1 (0.583): lr 0.012 -> 0.0144"
    """
    parent = pedigree.segments[(segment.parent or 1) - 1]
    changed = [
        f"{_field(name)} {_shown(parent.settings[name])} -> {_shown(value)}"
        for name, value in segment.settings.items()
        if value != parent.settings[name]
    ]
    before = pedigree.before(segment)
    return (
        f"after epoch {pedigree.epochs(segment)[0]}, member {segment.member} ({_value(before)}) "
        f"took over from member {parent.member} ({_value(parent)}): "
        f"{', '.join(changed) or 'as it was'}"
    )


def schedule_line(pedigree: Pedigree, number: int) -> str:
    """Return by what a segment and all that it came from were trained, in one line.

    Example:
        "to epoch 10 lr=0.012; to epoch 20 lr=0.0144"
    """
    spans: list[tuple[int, Mapping[str, Any]]] = []
    for one in pedigree.ancestry(number):
        end = pedigree.epochs(one)[1]
        if spans and spans[-1][1] == one.settings:
            spans.pop()
        spans.append((end, one.settings))
    return "; ".join(
        f"to epoch {end} "
        + ", ".join(f"{_field(name)}={_shown(value)}" for name, value in settings.items())
        for end, settings in spans
    )


def _segments(
    population: Population, proposals: Sequence[Proposal], values: Mapping[int, float | None]
) -> Iterator[Segment]:
    for one in proposals:
        parent = one.notes.get(PARENT)
        yield Segment(
            one.number,
            population.generation(one.number),
            population.member(one.number),
            parent,
            parent is not None and population.member(parent) != population.member(one.number),
            in_force(population, one),
            values.get(one.number),
        )


def _field(name: str) -> str:
    return name.partition(".")[2]


def _value(segment: Segment) -> str:
    return "failed" if segment.value is None else f"{segment.value:.4g}"


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
