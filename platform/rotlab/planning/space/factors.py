"""What varies independently: an axis, or several in step, with the arms for which they do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rotlab.planning.space.axes import Listing
from rotlab.planning.space.conditions import Conditions, When
from rotlab.planning.space.report import Report
from rotlab.planning.space.sections import CHOICES
from rotlab.planning.space.values import Normal, as_text

CHOSEN_FIRST = frozenset(CHOICES)  # they decide which axes a condition can see
Step = tuple[int, ...]  # for each axis of a factor, the index of its value


@dataclass(frozen=True, slots=True)
class Branch:
    """The steps that a factor takes in some arms.

    Args:
        steps: at least one.
        when: the arms for which it takes them; empty for all.
        place: dotted, where the condition stands.
    """

    steps: tuple[Step, ...]
    when: When = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Factor:
    """Axes that vary together, one in most cases.

    Args:
        axes: their names.
        branches: the first whose condition holds gives the steps; where none does, an arm does
            not have the axes.
    """

    axes: tuple[str, ...]
    branches: tuple[Branch, ...]

    @property
    def is_conditional(self) -> bool:
        """Whether its steps depend on other axes."""
        return bool(self.branches[0].when)

    @property
    def is_everywhere(self) -> bool:
        """Whether every arm has its axes."""
        return not self.branches[-1].when

    @property
    def needs(self) -> frozenset[str]:
        """The axes that its conditions name."""
        return frozenset(axis for branch in self.branches for axis in branch.when)

    def steps(self) -> dict[Step, None]:
        """Return the steps of all branches, each once."""
        return {step: None for branch in self.branches for step in branch.steps}


class Values:
    """The values of all axes, each with its index, in the order in which they are met."""

    def __init__(self) -> None:
        self.of: dict[str, list[Any]] = {}
        self._known: dict[tuple[str, str], int] = {}

    def index(self, axis: str, value: object) -> int:
        """Return the index of a value among its axis's, which it joins if it is new."""
        held = self.of.setdefault(axis, [])
        known = (axis, as_text(value))
        if known not in self._known:
            self._known[known] = len(held)
            held.append(value)
        return self._known[known]


def steps_of(report: Report, listing: Listing, normal: Normal, values: Values) -> tuple[Step, ...]:
    """Return the steps of a listing, each once; a second one is noted."""
    found: dict[Step, int] = {}
    for at, row in enumerate(listing.rows):
        forms = {axis: normal.get(axis, value) for axis, value in row.items()}
        step = tuple(values.index(axis, form) for axis, form in forms.items())
        first = found.setdefault(step, at)
        if first != at:
            axis, place = next(iter(listing.places.items()))
            noun, shown = ("step", forms) if len(forms) > 1 else ("value", forms[axis])
            said = f"{noun} {at + 1} is equal to {noun} {first + 1}: {shown!r}"
            report.add((*place, at), said)
    return tuple(found)


def make_factor(
    listings: Sequence[Listing], steps: Sequence[tuple[Step, ...]], conditions: Conditions
) -> Factor:
    """Return the factor that listings of the same axes make.

    Args:
        listings: in the file's order.
        steps: of each of them.
        conditions: reads theirs.
    """
    for one in listings:
        if one.when and conditions.report.get(one.when) == {}:
            conditions.report.add(one.when, "names no axis; leave it out where it is for all arms")
    branches = tuple(
        Branch(of_one, conditions.read(one.when), ".".join(map(str, one.when)))
        if one.when
        else Branch(of_one)
        for one, of_one in zip(listings, steps, strict=True)
    )
    return Factor(tuple(listings[0].values), branches)


def in_order(factors: Sequence[Factor]) -> tuple[int, ...]:
    """Return the positions of factors, those that a condition names before those it is for.

    Raises:
        CircleError: conditions depend on one another in a circle.
    """
    of_axis = {axis: at for at, factor in enumerate(factors) for axis in factor.axes}
    found: dict[int, None] = {}

    def visit(at: int, above: tuple[int, ...]) -> None:
        if at in above:
            raise CircleError(
                tuple(factors[one].axes[0] for one in (*above[above.index(at) :], at))
            )
        for axis in sorted(factors[at].needs):
            if axis in of_axis:
                visit(of_axis[axis], (*above, at))
        found[at] = None

    first = [at for at, factor in enumerate(factors) if not CHOSEN_FIRST.isdisjoint(factor.axes)]
    has_conditions = any(factor.is_conditional for factor in factors)
    for at in (*first * has_conditions, *range(len(factors))):
        visit(at, ())
    return tuple(found)


class CircleError(ValueError):
    """Conditions depend on one another.

    Args:
        axes: from one of them back to it.
    """

    def __init__(self, axes: tuple[str, ...]) -> None:
        super().__init__(" <- ".join(axes))
        self.axes = axes
