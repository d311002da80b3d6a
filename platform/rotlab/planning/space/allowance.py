"""How many hours a search may take: read, checked, and when it has taken them. Arithmetic only."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rotlab.planning.space.budget import LIMITS
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report

Unit = Literal["gpu_hours", "cpu_hours"]
UNITS: tuple[Unit, ...] = ("gpu_hours", "cpu_hours")
Hours = Mapping[Unit, float]  # by unit
BUDGET = "budget"
MOST_TRIES = 1000  # of a search that has hours only: tries that break a rule use none
_PLACE = ("search", BUDGET)


def words(unit: Unit) -> str:
    """Return what people call a unit."""
    return LIMITS[unit][1]


@dataclass(frozen=True, slots=True)
class Allowance:
    """The hours of one search.

    Args:
        hours: above 0.
        unit: what is counted: devices that attempts held, or cores.
        at_once: proposals that may be under way: the k-th knows of those up to k - at_once.
    """

    hours: float
    unit: Unit
    at_once: int = 1

    def is_used_up(self, made: int, used: Sequence[float | None]) -> bool:
        """Say whether no proposal is made after so many.

        The next one would know of some that have ended; it is made if those have used less than
        there is. So it depends on what they used, and not on what ends first.

        Args:
            made: proposals, those under way among them.
            used: hours of each, in order, as far as they have ended; None of one that has not.

        Worked: of 2 hours, with two at once, tries of 0.8 hours each: 0, 0, 0.8, 1.6, so four are
        made; the fifth would know of three, which used 2.4.
        """
        known = max(made + 1 - self.at_once, 0)
        ended = [one for one in used[:known] if one is not None]
        return len(ended) == known and bool(known) and math.fsum(ended) >= self.hours

    def __str__(self) -> str:
        return f"{self.hours:g} {words(self.unit)}"


def read_allowance(report: Report, at_once: int) -> Allowance | None:
    """Return the hours that a file gives each search, None where it gives none or wrongly.

    Args:
        report: notes what is wrong.
        at_once: proposals that may be under way.
    """
    if not report.has(_PLACE):
        return None
    given = report.mapping(_PLACE, UNITS, "limit of a search")
    if len(given) != 1:
        if not report.refuses(_PLACE):
            said = f"needs one of {' and '.join(UNITS)}, got {shown(report.get(_PLACE))}"
            report.add(_PLACE, said)
        return None
    ((name, hours),) = given.items()
    if isinstance(hours, bool) or not isinstance(hours, int | float):
        report.add((*_PLACE, name), f"must be a finite number greater than 0, got {shown(hours)}")
        return None
    if not 0 < hours <= sys.float_info.max:
        report.add((*_PLACE, name), f"must be a finite number greater than 0, got {shown(hours)}")
        return None
    return Allowance(float(hours), next(one for one in UNITS if one == name), at_once)
