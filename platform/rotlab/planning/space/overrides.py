"""Settings that hold for some arms only and are nothing to compare, read and checked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from rotlab.planning.space.axes import WHEN, why_no_axis
from rotlab.planning.space.conditions import Conditions, When
from rotlab.planning.space.excludes import BECAUSE
from rotlab.planning.space.report import Report
from rotlab.planning.space.sections import CHOICES
from rotlab.planning.space.settings import Vocabulary
from rotlab.planning.space.values import Written

SET = "set"
_PARTS = (WHEN, SET, BECAUSE)


@dataclass(frozen=True, slots=True)
class Override:
    """Settings of the arms that match.

    Args:
        when: axis -> values, as for an exclusion.
        settings: "section.field" -> value.
        because: the reason.
    """

    when: When
    settings: Mapping[str, Any]
    because: str


def read_set(report: Report, known: Vocabulary, axes: Collection[str]) -> list[Written]:
    """Return all values that overrides set, after noting those that they cannot.

    Args:
        report: notes what is wrong.
        known: the sections there are.
        axes: every name that the file gives as that of an axis.
    """
    found: list[Written] = []
    if not report.has(("overrides",)):
        return found
    for index in range(len(report.items(("overrides",)))):
        place = ("overrides", index, SET)
        given = report.get(place)
        for name, value in given.items() if isinstance(given, dict) else ():
            why = why_no_axis(known, name, value)
            if name in CHOICES:
                why = "is chosen, not set: give such an arm in arms"
            elif name in axes:
                why = "is an axis; what an arm is compared by is chosen in arms, not set"
            if why:
                report.add((*place, name), why)
            else:
                found.append(Written(name, value, (*place, name)))
    return found


def read_overrides(report: Report, conditions: Conditions) -> tuple[Override, ...]:
    """Return the overrides, in the file's order: a later one has the last word."""
    if not report.has(("overrides",)) or not isinstance(report.get(("overrides",)), list):
        return ()
    found = []
    for index in range(len(report.get(("overrides",)))):
        place = ("overrides", index)
        inside = report.mapping(place, _PARTS, "name")
        if not isinstance(report.get(place), dict):
            continue
        when = conditions.read((*place, WHEN))
        if not inside.get(WHEN):
            report.add(place, "needs `when`, a mapping of axes to values; for all arms, fix it")
        because = report.text((*place, BECAUSE))
        given = inside.get(SET)
        if not given or not isinstance(given, dict):
            report.add(place, "needs `set`, a mapping of settings to the values that they have")
        elif when and because:
            settings = {
                name: conditions.form((*place, SET, name), name, value)
                for name, value in given.items()
                if conditions.defaults.known.knows(name)  # else it is noted
            }
            found.append(Override(when, settings, because))
    return tuple(found)
