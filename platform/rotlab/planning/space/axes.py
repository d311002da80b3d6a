"""The settings that may vary, and where a file lets them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotlab.planning.inits import inits, reads
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.sections import CHOICES, TASK, as_init
from rotlab.planning.space.settings import Vocabulary
from rotlab.planning.space.source import Place

VALUES, WHEN = "values", "when"


@dataclass(frozen=True, slots=True)
class Listing:
    """Values of axes as they are written, for axes that vary together.

    Args:
        place: of the whole.
        values: axis -> its values, equally many of each.
        places: axis -> the place of its values.
        when: the place of the condition, where it has one.
    """

    place: Place
    values: Mapping[str, Sequence[Any]]
    places: Mapping[str, Place]
    when: Place | None = None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The steps: for each, axis -> value."""
        return [
            dict(zip(self.values, row, strict=True))
            for row in zip(*self.values.values(), strict=True)
        ]


def read_axes(report: Report, known: Vocabulary) -> list[list[Listing]]:
    """Return what `axes` and `zip` let vary: for each that varies, its listings.

    A listing has valid names and at least one value; what else is written is noted.
    """
    found = [*_read_grid(report, known), *_read_zips(report, known)]
    seen: dict[str, Place] = {}
    for listings in found:
        for axis, place in listings[0].places.items():
            if axis in seen:
                at = report.source.line(*seen[axis])
                report.add(place, f"varies in {at} already; name an axis once")
            seen.setdefault(axis, place)
    return found


def why_no_axis(known: Vocabulary, axis: str, values: object) -> str | None:
    """Return why a name cannot be that of an axis; None where it can."""
    if axis in ("seed", "split"):
        return f"a {axis} is no axis; write replicates: {{{axis}: [...]}}"
    if axis == TASK:
        return f"the task is what init names: {as_init(values)}"
    if axis in CHOICES:
        return None
    if not known.knows(axis):
        return known.why_unknown(axis, CHOICES)
    if not known.changes_results(axis):
        return "changes no result: nothing to compare; fix it in its section"
    section, _, field = axis.partition(".")
    if not any(reads(one, section, field) for one in inits()):
        return f"no init reads it ({', '.join(inits())}); install the pretext that it is for"
    return None


def written_axes(report: Report) -> list[str]:
    """Return every name that a file gives as that of an axis, be it valid or not."""
    places: list[Place] = [("axes",)]
    for name in ("zip", "arms"):
        listed = report.get((name,))
        places += [(name, at) for at in range(len(listed))] if isinstance(listed, list) else []
    mappings = [report.get(place) for place in places]
    names = [name for one in mappings if isinstance(one, dict) for name in one]
    return list(dict.fromkeys(name for name in names if name != WHEN))


def _read_grid(report: Report, known: Vocabulary) -> list[list[Listing]]:
    if not report.has(("axes",)):
        return []
    given = report.get(("axes",))
    if not isinstance(given, dict):
        report.add(
            ("axes",), f"must be a mapping of settings to lists of values, got {shown(given)}"
        )
        return []
    found = []
    for axis, value in given.items():
        if why := why_no_axis(known, axis, value):
            report.add(("axes", axis), why)
        elif listings := _read_axis(report, axis, value):
            found.append(listings)
    return found


def _read_axis(report: Report, axis: str, value: object) -> list[Listing]:
    """The listings of one axis: a list, or mappings of values and when."""
    place: Place = ("axes", axis)
    if isinstance(value, list) and not _is_branches(value):
        return [Listing(place, {axis: value}, {axis: place})] if report.items(place) else []
    if isinstance(value, list):
        places: list[Place] = [(*place, index) for index in range(len(value))]
    elif isinstance(value, dict):
        places = [place]
    else:
        report.add(
            place,
            f"must be a list of values, got {shown(value)}; "
            "a single one is fixed outside axes, and one that varies for some arms only is "
            "written {values: [...], when: {...}}",
        )
        return []
    found = []
    for index, at in enumerate(places):
        given = report.mapping(at, (VALUES, WHEN), "name")
        if VALUES not in given:
            if report.get(at).keys() <= given.keys():  # else the name that is not known was meant
                report.add(at, "needs values, a list")
        elif report.items((*at, VALUES)):
            when = (*at, WHEN) if WHEN in given else None
            if when is None and index + 1 < len(places):
                report.add(at, "holds for every arm, so that nothing after it does; put it last")
            if axis in CHOICES and when:
                report.add(when, f"{axis} is chosen for every arm; exclude what is not to be")
            found.append(Listing(at, {axis: given[VALUES]}, {axis: (*at, VALUES)}, when))
    return found


def _is_branches(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(one, dict) and VALUES in one for one in values)


def _read_zips(report: Report, known: Vocabulary) -> list[list[Listing]]:
    if not report.has(("zip",)):
        return []
    found = []
    for index in range(len(report.items(("zip",)))):
        place: Place = ("zip", index)
        given = report.get(place)
        if not isinstance(given, dict):
            report.add(place, f"must be a mapping of axes to lists of values, got {shown(given)}")
            continue
        if listing := _read_zip(report, known, place, given):
            found.append([listing])
    return found


def _read_zip(
    report: Report, known: Vocabulary, place: Place, given: Mapping[str, Any]
) -> Listing | None:
    before = len(report.problems)
    axes = {axis: values for axis, values in given.items() if axis != WHEN}
    for axis, values in axes.items():
        if why := why_no_axis(known, axis, values):
            report.add((*place, axis), why)
        elif report.items((*place, axis)) and axis in CHOICES and WHEN in given:
            report.add((*place, WHEN), f"{axis} is chosen for every arm; exclude what is not to be")
    if len(report.problems) > before:
        return None
    if len(axes) < 2:
        report.add(place, "needs two axes or more that vary together; a single one stands in axes")
        return None
    if len({len(values) for values in axes.values()}) > 1:
        counts = ", ".join(f"{axis} has {len(values)}" for axis, values in axes.items())
        report.add(place, f"axes that vary together need equally many values: {counts}")
        return None
    places = {axis: (*place, axis) for axis in axes}
    return Listing(place, axes, places, (*place, WHEN) if WHEN in given else None)
