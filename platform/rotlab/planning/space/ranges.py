"""What a searched setting may be: a range of numbers, or one of some values."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rotlab.planning.space.axes import VALUES, WHEN
from rotlab.planning.space.conditions import When
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place

_PARTS = ("low", "high", "log", "step", VALUES, WHEN)


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from low to high, both included.

    Args:
        low: the lowest; above 0 where log is set.
        high: the highest, above low.
        log: whether equal ratios, not equal differences, are equally likely.
        step: distance of neighbours, counted from low; None: all between, for whole numbers 1.
        whole: whether they are whole numbers.
        when: where it is searched at all; empty: everywhere.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    whole: bool = False
    when: When = field(default_factory=dict)

    def at(self, share: float) -> float:
        """Return the number at a share, in [0, 1), of the way from low to high."""
        if self.whole or self.step is not None:
            step = self.step or 1
            count = math.floor((self.high - self.low) / step + 1e-9) + 1
            if self.log:
                wide = math.log(self.low - 0.5), math.log(self.high + 0.5)
                value = round(math.exp(wide[0] + share * (wide[1] - wide[0])))
                return int(min(max(value, self.low), self.high))
            return self.nth(min(int(share * count), count - 1))
        if self.log:
            found = math.exp(
                math.log(self.low) + share * (math.log(self.high) - math.log(self.low))
            )
        else:
            found = self.low + share * (self.high - self.low)
        return min(max(found, self.low), self.high)

    def points(self) -> tuple[float, ...] | None:
        """Return all numbers, or None where they cannot be counted.

        For those who know by `num_points` that they are not too many to be held.
        """
        number = self.num_points
        return None if number is None else tuple(map(self.nth, range(number)))

    @property
    def num_points(self) -> int | None:
        """How many numbers there are, or None where they cannot be counted."""
        if not self.whole and self.step is None:
            return None
        return math.floor((self.high - self.low) / (self.step or 1) + 1e-9) + 1

    def nth(self, index: int) -> float:
        """Return the number so many steps above low, as one writes it: 0.9, not 0.8999999999."""
        found = Decimal(str(self.low)) + index * Decimal(str(self.step or 1))
        return int(found) if self.whole else float(found)

    def nearest(self, value: float) -> float:
        """Return the number that is nearest to a value, the lower of two equally near."""
        if (number := self.num_points) is not None:
            below = math.floor((value - self.low) / (self.step or 1))
            near = {min(max(below + more, 0), number - 1) for more in (-1, 0, 1, 2)}
            value = min(map(self.nth, sorted(near)), key=lambda one: abs(one - value))
        return min(max(value, self.low), self.high)

    def ends(self) -> tuple[float, ...]:
        """Return numbers among which are the lowest and the highest."""
        return self.low, self.high

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        ends = {"low": self.low, "high": self.high, "log": self.log, "step": self.step}
        return {**ends, WHEN: _plain(self.when)} if self.when else ends

    def __str__(self) -> str:
        how = ", log" * self.log + (f", step {self.step:g}" if self.step else "")
        return f"{self.low:g} to {self.high:g}{how}{_where(self.when)}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Some values, without an order.

    Args:
        values: at least two different ones; one is enough where there is a condition.
        when: where it is searched at all; empty: everywhere.
    """

    values: tuple[Any, ...]
    when: When = field(default_factory=dict)

    def at(self, share: float) -> Any:  # noqa: ANN401  # plain values of any sort
        """Return the value at a share, in [0, 1), of the list."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def points(self) -> tuple[Any, ...]:
        """Return all values."""
        return self.values

    def ends(self) -> tuple[Any, ...]:
        """Return all values, the lowest and the highest among them where they have an order."""
        return self.values

    @property
    def num_points(self) -> int:
        """How many values there are."""
        return len(self.values)

    def plain(self) -> list[Any] | dict[str, Any]:
        """Return it as plain values."""
        values = list(self.values)
        return {VALUES: values, WHEN: _plain(self.when)} if self.when else values

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.values)) + _where(self.when)


Domain = Range | OneOf


def read_domain(report: Report, place: Place) -> Domain | None:
    """Return what is written for a searched setting, or None after noting what is wrong with it.

    Whether its ends are values of the setting is for the caller to see.
    """
    given = report.get(place)
    if isinstance(given, list):
        return _read_values(report, place, given)
    if not isinstance(given, dict):
        said = "must be a range {low: ..., high: ..., log: true} or a list of values"
        report.add(place, f"{said}, got {shown(given)}")
        return None
    before = len(report.problems)
    inside = report.mapping(place, _PARTS, "part of a range")
    if VALUES in inside:
        return _read_listed(report, place, inside)
    for name in ("low", "high"):
        if name not in inside and len(report.problems) == before:
            report.add(place, f"needs {name}, one end of the range")
    for name in ("low", "high", "step"):
        value = inside.get(name)
        if name in inside and not _is_number(value):
            report.add((*place, name), f"must be a finite number, got {shown(value)}")
    if not isinstance(inside.get("log", False), bool):
        report.add((*place, "log"), f"must be true or false, got {shown(inside['log'])}")
    if len(report.problems) > before:
        return None
    return _range(report, place, inside)


def _read_listed(report: Report, place: Place, inside: Mapping[str, Any]) -> OneOf | None:
    """Values that stand beside a condition."""
    before = len(report.problems)
    if beside := [name for name in inside if name not in (VALUES, WHEN)]:
        said = f"stands beside {VALUES}, which are one by one; leave it out"
        report.add((*place, beside[0]), said)
    values = report.items((*place, VALUES))
    if len(values) == 1 and WHEN not in inside:
        return _read_values(report, place, values)
    return OneOf(tuple(values)) if len(report.problems) == before else None


def _read_values(report: Report, place: Place, given: list[Any]) -> OneOf | None:
    if not report.items(place):
        return None
    if len(given) == 1:
        report.add(place, "is one value, nothing to search; fix it in its section")
        return None
    return OneOf(tuple(given))


def _range(report: Report, place: Place, inside: Mapping[str, Any]) -> Range | None:
    low, high, step = inside["low"], inside["high"], inside.get("step")
    log = inside.get("log", False)
    if low >= high:
        report.add(place, f"low must be below high, got {low:g} and {high:g}; turn them round")
    elif log and low <= 0:
        report.add(place, f"low must be greater than 0 where log is true, got {low:g}")
    elif log and step is not None:
        report.add(place, "has log and step, which exclude each other; take one away")
    elif step is not None and not 0 < step <= high - low:
        report.add(place, f"step must be above 0 and at most high - low, got {step:g}")
    else:
        return Range(low, high, log, step)
    return None


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def _plain(when: When) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in when.items()}


def _where(when: When) -> str:
    said = (f"{name} is {' or '.join(map(str, values))}" for name, values in when.items())
    return f" where {' and '.join(said)}" if when else ""
