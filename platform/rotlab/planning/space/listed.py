"""Arms that a search space gives one by one."""

from rotlab.planning.space.axes import Listing, why_no_axis
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.settings import Vocabulary


def read_listed(report: Report, known: Vocabulary) -> list[Listing]:
    """Return the arms of `arms`, each with one value for every axis that it names."""
    if not report.has(("arms",)):
        return []
    found = []
    for index in range(len(report.items(("arms",)))):
        place = ("arms", index)
        given = report.get(place)
        if not isinstance(given, dict) or not given:
            report.add(place, f"must be a mapping of axes to a value each, got {shown(given)}")
            continue
        names = {axis: why_no_axis(known, axis, value) for axis, value in given.items()}
        for axis, why in names.items():
            if why:
                report.add((*place, axis), why)
        if not any(names.values()):
            values = {axis: [value] for axis, value in given.items()}
            found.append(Listing(place, values, {axis: (*place, axis) for axis in given}))
    return found
