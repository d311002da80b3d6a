"""Looks, at which seeds are added to the arms that are still open: what is asked and decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["shown", "hopeless", "open", "not shown"]
FEWEST = 3  # seeds at the first look: of two, the spread is hardly known
MOST = 1000  # seeds at the last one; beyond them the question is another one


@dataclass(frozen=True, slots=True)
class Looks:
    """When arms are looked at.

    Args:
        at: how many seeds an arm that is still open has at each look.
    """

    at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Differences that are judged together: those of a target and a measure.

    Args:
        key: of what is looked at: stages, differences and looks.
        target: name of the data set.
        measure: such as "finetune".
        metric: that is looked at, on videos held out of training.
        arms: axis -> value, of each.
        pairs: of each difference the places of arm and baseline among the arms.
        at: how many seeds an arm that is still open has at each look.
    """

    key: str
    target: str
    measure: str
    metric: str
    arms: tuple[Mapping[str, Any], ...]
    pairs: tuple[tuple[int, int], ...]
    at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look makes of one difference.

    Args:
        outcome: "shown" and "hopeless" settle it, "open" asks for the next look, and "not shown" is
            what is left at the last one.
        difference: of the means, arm minus baseline; None where it was settled before.
        p: of the test that there is none; None where it cannot be tested.
        level: that p has to reach at this look.
        chance: that it would be shown at the last look if it is what it looks like now; None at
            the last look, or where there is no p.
    """

    outcome: Outcome
    difference: float | None = None
    p: float | None = None
    level: float | None = None
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A look that was taken.

    Args:
        family: key of it.
        number: counted from 1.
        verdicts: on each difference of the family; those settled before keep their outcome.
        values: of each arm, one for each of its seeds.
    """

    family: str
    number: int
    verdicts: tuple[Verdict, ...]
    values: tuple[tuple[float, ...], ...]

    @property
    def open(self) -> tuple[int, ...]:
        """Places of the differences that are still open."""
        return tuple(at for at, one in enumerate(self.verdicts) if one.outcome == "open")


def seeds_of(family: Family, taken: Sequence[Look]) -> tuple[int, ...]:
    """Return how many seeds each arm has after these looks; a baseline as many as any against it.

    Args:
        family: whose arms.
        taken: its looks, in order from the first.
    """
    found = [family.at[0]] * len(family.arms)
    for look in taken:
        for place in look.open:
            for arm in family.pairs[place]:
                found[arm] = family.at[look.number]
    return tuple(found)


def is_over(taken: Sequence[Look]) -> bool:
    """Say whether the last of these looks has left nothing open."""
    return bool(taken) and not taken[-1].open


def imagined(family: Family, taken: Sequence[Look], *, most: bool) -> tuple[Look, ...]:
    """Return looks with those still to come made up.

    Args:
        family: that is looked at.
        taken: looks that were taken; they stay.
        most: whether all that is open stays so until the last look, or is settled by the next one.
    """
    found = list(taken)
    while not is_over(found):
        number = len(found) + 1
        goes_on = most and number < len(family.at)
        before = found[-1].verdicts if found else (Verdict("open"),) * len(family.pairs)
        verdicts = tuple(
            Verdict("open" if goes_on else "not shown") if one.outcome == "open" else one
            for one in before
        )
        found.append(Look(family.key, number, verdicts, ()))
    return tuple(found)
