"""Which arms a search space leaves out, read and checked."""

from dataclasses import dataclass

from rotlab.planning.space.axes import WHEN
from rotlab.planning.space.conditions import Conditions, When
from rotlab.planning.space.report import Report

BECAUSE = "because"


@dataclass(frozen=True, slots=True)
class Exclude:
    """Arms that are left out.

    Args:
        when: axis -> values; an arm matches that has one of them on every axis named.
        because: the reason.
    """

    when: When
    because: str


def read_excludes(report: Report, conditions: Conditions) -> tuple[Exclude, ...]:
    """Return the exclusions."""
    if not report.has(("exclude",)):
        return ()
    found = []
    for index in range(len(report.items(("exclude",)))):
        place = ("exclude", index)
        inside = report.mapping(place, (WHEN, BECAUSE), "name")
        if not isinstance(report.get(place), dict):
            continue
        when = conditions.read((*place, WHEN))
        if not inside.get(WHEN):
            report.add(place, "needs `when`, a mapping of axes to the values that are left out")
        because = report.text((*place, BECAUSE))
        if when and because:
            found.append(Exclude(when, because))
    return tuple(found)
