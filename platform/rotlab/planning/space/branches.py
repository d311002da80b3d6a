"""Settings that are searched only where other searched ones have certain values: `when`, read."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rotlab.planning.space.axes import WHEN
from rotlab.planning.space.conditions import REFUSED, Conditions, When
from rotlab.planning.space.ranges import Domain, OneOf
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place


def read_branches(
    report: Report, place: Place, settings: Mapping[str, Domain], conditions: Conditions
) -> dict[str, Domain]:
    """Return searched settings with their conditions, each after those that it hangs on.

    Args:
        report: notes what is wrong.
        place: where the settings stand.
        settings: "section.field" -> what it may be, of those that are in order.
        conditions: know the forms of values.
    """
    found = {
        name: replace(one, when=_read_when(report, (*place, name, WHEN), settings, conditions))
        for name, one in settings.items()
    }
    ordered: dict[str, Domain] = {}
    while len(ordered) < len(found):
        left = {name: one for name, one in found.items() if name not in ordered}
        free = [name for name, one in left.items() if left.keys().isdisjoint(one.when)]
        if not free:
            said = f"hangs on itself: {' and '.join(left)} name one another; take one `when` away"
            report.add((*place, next(iter(left)), WHEN), said)
            return found
        ordered[free[0]] = found[free[0]]
    return ordered


def _read_when(
    report: Report, place: Place, settings: Mapping[str, Domain], conditions: Conditions
) -> When:
    given: Any = report.get(place)
    if not report.has(place):
        return {}
    if not isinstance(given, dict) or not given:
        report.mapping(place, [name for name in settings if name != place[-2]], "searched setting")
        if isinstance(given, dict):
            report.add(place, "names no searched setting; name one and its value, or leave it out")
        return {}
    return {
        name: tuple(_values(report, (*place, name), str(name), settings, conditions))
        for name in given
    }


def _values(
    report: Report,
    place: Place,
    name: str,
    settings: Mapping[str, Domain],
    conditions: Conditions,
) -> list[Any]:
    """The values of a setting by which a condition holds; fewer after a problem."""
    domain = settings.get(name)
    if not isinstance(domain, OneOf):
        listed = [one for one, held in settings.items() if isinstance(held, OneOf)]
        is_axis = name in conditions.names
        found = "is an axis" if is_axis else "has a range" if domain else "is not searched"
        report.add(
            place,
            f"{found}, and a condition hangs on settings that are searched as a list of values "
            f"({', '.join(listed) or 'here there is none'})",
        )
        return []
    given = report.get(place)
    values = given if isinstance(given, list) and given not in domain.values else [given]
    several = values is given
    held = []
    for index, value in enumerate(values):
        at = (*place, index) if several else place
        form = conditions.form(at, name, value)
        if form is REFUSED:
            continue
        if form not in domain.values:
            report.add(at, f"{name} is never {form}: it is searched as {domain}")
        held.append(form)
    return held
