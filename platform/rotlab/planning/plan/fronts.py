"""What searches with several objectives have found: tries than which no other is better in all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rotlab.planning.plan.decisions import Decisions, Tuning
from rotlab.planning.space.objectives import pareto_front

_LISTED = 4  # arms that share a search; more are counted only


@dataclass(frozen=True, slots=True)
class Member:
    """A try on a Pareto front.

    Args:
        number: of the proposal.
        values: that it came to, in the order of the objectives.
        settings: that it tried.
        wins: the arm's cells have its settings.
    """

    number: int
    values: tuple[float, ...]
    settings: Mapping[str, Any]
    wins: bool


@dataclass(frozen=True, slots=True)
class Front:
    """The Pareto front of a search, as far as its tries have ended.

    Args:
        tuning: the search.
        tried: tries that have a value.
        members: those on the front, the best by the first objective first.
    """

    tuning: Tuning
    tried: int
    members: tuple[Member, ...]


def fronts(tunings: Mapping[str, Tuning], decisions: Decisions) -> Iterator[Front]:
    """Yield the front of each search that has several objectives and a try that has ended."""
    for key, tuning in tunings.items():
        others = decisions.others.get(key, {})
        points = {
            number: (value, *others[number])
            for number, value in decisions.values.get(key, {}).items()
            if value is not None and len(others.get(number, ())) + 1 == len(tuning.objectives)
        }
        if len(tuning.objectives) > 1 and points:
            yield _front(tuning, points, decisions)


def described(values: Mapping[str, Any]) -> str:
    """Return settings, or an arm, in a few words."""
    return ", ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in values.items()
    )


def arms_of(tuning: Tuning) -> str:
    """Return which arms a search is of, and where, in a few words."""
    arms = "; ".join(map(described, tuning.arms[:_LISTED])) or "all arms"
    more = f" and {len(tuning.arms) - _LISTED} more" * (len(tuning.arms) > _LISTED)
    return f"{arms}{more} on {tuning.place}, {tuning.modality}"


def _front(tuning: Tuning, points: Mapping[int, tuple[float, ...]], decisions: Decisions) -> Front:
    settings = {one.number: one.settings for one in decisions.proposed(tuning.key)}
    winner = decisions.winners.get(tuning.key)
    taken = None if winner is None else winner.number
    sign = 1 if tuning.objectives[0].maximizes else -1
    numbers = sorted(
        pareto_front(points, tuning.objectives), key=lambda number: -sign * points[number][0]
    )
    members = (Member(n, points[n], settings[n], n == taken) for n in numbers)
    return Front(tuning, len(points), tuple(members))
