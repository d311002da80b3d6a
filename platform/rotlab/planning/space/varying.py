"""All that a search space varies: axes, alone or in step, arms given one by one, a baseline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotlab.planning.inits import inits
from rotlab.planning.space.ablation import read_baseline
from rotlab.planning.space.axes import Listing, read_axes, written_axes
from rotlab.planning.space.combinations import Combinations
from rotlab.planning.space.conditions import Condition, Conditions, When
from rotlab.planning.space.defaults import Defaults
from rotlab.planning.space.factors import (
    Branch,
    CircleError,
    Factor,
    Values,
    in_order,
    make_factor,
    steps_of,
)
from rotlab.planning.space.listed import read_listed
from rotlab.planning.space.overrides import read_set
from rotlab.planning.space.report import Report
from rotlab.planning.space.sections import CHOICES
from rotlab.planning.space.source import Place
from rotlab.planning.space.values import Normal, Together, Written, check_values

MOST = 1_000_000  # combinations of values: more is a slip, and would fill the memory


@dataclass(frozen=True, slots=True)
class Varying:
    """What differs between the arms of a search space.

    Args:
        axes: axis -> its values, in the file's order.
        places: axis -> where it stands.
        factors: what is crossed, or varied one at a time around the baseline; None where there are
            only arms given one by one. An axis that only these have is a factor of one step.
        listed: arms given one by one, each axis -> index of its value. What one does not name is as
            everywhere else, and stands there; an axis that some arms do not have is left out.
        baseline: axis -> index of the value that is varied one at a time; empty for a full grid.
    """

    axes: Mapping[str, tuple[Any, ...]]
    places: Mapping[str, Place]
    factors: tuple[Factor, ...] | None
    listed: tuple[Mapping[str, int], ...]
    baseline: Mapping[str, int]

    def count(self, choices: Mapping[str, str]) -> int:
        """Return how many combinations there are, MOST + 1 of many more.

        Args:
            choices: "init" and "modality" -> the fixed one, where it is no axis.
        """
        if self.factors is None:
            return len(self.listed)
        made: dict[int, Condition] = {}

        def holds(when: When, chosen: Mapping[str, int]) -> bool:
            condition = made.setdefault(id(when), Condition(when, self.axes, choices))
            return condition.holds(chosen, ())

        return len(self.listed) + Combinations(self.factors, self.baseline).count(holds, MOST)


def read_varying(report: Report, defaults: Defaults) -> tuple[Varying, Conditions]:
    """Return what a file varies, and what reads the other conditions of it."""
    reader = _Reader(report, defaults)
    return reader.read()


class _Reader:
    """Reads what varies, and checks all values with one another."""

    def __init__(self, report: Report, defaults: Defaults) -> None:
        self._report = report
        self._defaults = defaults
        self._names = written_axes(report)
        self._grid = read_axes(report, defaults.known)
        self._arms = read_listed(report, defaults.known)
        self._has_grid = bool(self._grid) or not report.has(("arms",))
        self._only_listed = self._axes_of_arms_only()
        self._starts = self._inits()
        self._values = Values()
        self._defaults_of: dict[str, int] = {}

    def read(self) -> tuple[Varying, Conditions]:
        self._refuse_fixed()
        sets = read_set(self._report, self._defaults.known, self._names)
        normal = self._check(sets)
        steps = [
            [steps_of(self._report, one, normal, self._values) for one in listings]
            for listings in self._grid
        ]
        listed = self._listed(normal)
        constant = [
            Factor((axis,), (Branch(((self._default(axis),),)),))
            for axis in (self._only_listed if self._has_grid else ())
        ]
        names = dict.fromkeys((*self._names, *CHOICES))
        axes = {axis: tuple(values) for axis, values in self._values.of.items()}
        conditions = Conditions(self._report, self._defaults, axes, normal, names)
        factors = [
            make_factor(listings, of_one, conditions)
            for listings, of_one in zip(self._grid, steps, strict=True)
        ]
        self._refuse_circle(factors)
        places = {axis: place for one in self._listings() for axis, place in one.places.items()}
        baseline = read_baseline(self._report, conditions, factors, places)
        crossed = (*factors, *constant) if self._has_grid else None
        return Varying(axes, places, crossed, listed, baseline), conditions

    def _listings(self) -> Iterator[Listing]:
        """All that is written, arms first, so that an axis's own place comes last."""
        yield from self._arms
        for listings in self._grid:
            yield from listings

    def _axes_of_arms_only(self) -> list[str]:
        """The axes that only arms given one by one have."""
        grid = {axis for listings in self._grid for axis in listings[0].values}
        return list(
            dict.fromkeys(axis for arm in self._arms for axis in arm.values if axis not in grid)
        )

    def _refuse_fixed(self) -> None:
        """A setting is fixed or an axis, not both, unless arms without the axis need a value."""
        everywhere = {
            axis: listings[0].places[axis]
            for listings in self._grid
            for axis in listings[0].values
            if listings[-1].when is None
        }
        if not self._has_grid:
            for axis in self._only_listed:
                if all(axis in arm.values for arm in self._arms):
                    everywhere[axis] = self._arms[0].places[axis]
        for axis, place in everywhere.items():
            section, _, field = axis.partition(".")
            if self._report.has((axis,)) or field in self._defaults.fixed.get(section, {}):
                at = self._report.source.line(*((section, field) if field else (axis,)))
                said = f"is fixed in {at} and an axis as well; take one of them away"
                self._report.add(place, said)

    def _check(self, sets: Sequence[Written]) -> Normal:
        written = [
            Written(axis, value, (*one.places[axis], at))
            for listings in self._grid
            for one in listings
            for axis, values in one.values.items()
            for at, value in enumerate(values)
        ]
        written += [
            Written(axis, value, arm.places[axis])
            for arm in self._arms
            for axis, (value,) in arm.values.items()
        ]
        crossed = [
            [row for one in listings for row in one.rows]
            + [{}] * all(one.when is not None for one in listings)
            for listings in self._grid
        ]
        single = [row for arm in self._arms for row in arm.rows]
        overridden: dict[Place, dict[str, Any]] = {}
        for one in sets:
            overridden.setdefault(one.place[:-1], {})[one.setting] = one.value
        together = Together(crossed if self._has_grid else None, [*single, *overridden.values()])
        return check_values(self._report, self._defaults, [*written, *sets], together, self._starts)

    def _inits(self) -> list[str]:
        """The inits that arms may have."""
        written = [value for one in self._listings() for value in one.values.get("init", ())]
        if "init" in self._only_listed or not written:
            written.append(self._defaults.choices["init"])
        return [one for one in dict.fromkeys(map(str, written)) if one in inits()]

    def _listed(self, normal: Normal) -> tuple[Mapping[str, int], ...]:
        """The arms given one by one, with what they have without naming it."""
        everywhere = [
            axis
            for listings in self._grid
            for axis in listings[0].values
            if listings[-1].when is None
        ]
        everywhere += self._only_listed
        found = []
        for arm in self._arms:
            named = {axis: normal.get(axis, values[0]) for axis, values in arm.values.items()}
            chosen = {axis: self._values.index(axis, form) for axis, form in named.items()}
            found.append(
                {axis: self._default(axis) for axis in everywhere if axis not in chosen} | chosen
            )
        return tuple(found)

    def _default(self, axis: str) -> int:
        """The index of the value that an axis has where nothing chooses one."""
        if axis not in self._defaults_of:
            value = self._defaults.value(axis, self._starts)
            self._defaults_of[axis] = self._values.index(axis, value)
        return self._defaults_of[axis]

    def _refuse_circle(self, factors: Sequence[Factor]) -> None:
        try:
            in_order(factors)
        except CircleError as error:
            place = next(
                one.when
                for listings in self._grid
                for one in listings
                if error.axes[0] in one.values and one.when
            )
            self._report.add(place, f"depends on itself: {error}")
