"""Which arms a search space leaves out, read and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rotlab.planning.axes import CHOICES, Settings, init_that_reads
from rotlab.planning.key import canonical
from rotlab.planning.report import Report
from rotlab.planning.settings import Vocabulary, make_section, plain


@dataclass(frozen=True, slots=True)
class Exclude:
    """Arms that are left out.

    Args:
        when: axis -> values; an arm matches that has one of them on every axis named.
        because: the reason.
    """

    when: Mapping[str, tuple[Any, ...]]
    because: str

    def matches(self, arm: Mapping[str, Any]) -> bool:
        """Say whether an arm has every axis named, each with one of the values."""
        return all(
            axis in arm and canonical(arm[axis]) in {canonical(value) for value in values}
            for axis, values in self.when.items()
        )


def read_excludes(
    report: Report,
    known: Vocabulary,
    base: str,
    fixed: Settings,
    axes: Mapping[str, tuple[Any, ...]],
    inits: tuple[str, ...],
) -> tuple[Exclude, ...]:
    """Return the exclusions, their values normalised as those of the axes are."""
    if not report.has(("exclude",)):
        return ()
    given = report.get(("axes",))
    written = list(given) if isinstance(given, dict) else []
    found = []
    for index in range(len(report.items(("exclude",)))):
        place = ("exclude", index)
        inside = report.mapping(place, ("when", "because"), "name")
        if not isinstance(report.get(place), dict):
            continue
        when = report.mapping((*place, "when"), written, "axis") if "when" in inside else {}
        if not inside.get("when"):
            report.add(place, "needs `when`, a mapping of axes to the values that are left out")
        because = report.text((*place, "because"))
        values = {
            axis: tuple(
                _normal(known, axis, base, fixed, inits, value)
                for value in (listed if isinstance(listed, list) else [listed])
            )
            for axis, listed in when.items()
            if axis in axes  # one with a problem of its own is reported there
        }
        if values and because:
            found.append(Exclude(values, because))
    return tuple(found)


def _normal(
    known: Vocabulary,
    axis: str,
    base: str,
    fixed: Settings,
    inits: tuple[str, ...],
    value: object,
) -> Any:  # noqa: ANN401  # plain values of any sort
    """The form that the axis would give this value; one it could not hold matches nothing."""
    if axis in CHOICES:
        return value
    section, _, field = axis.partition(".")
    changes = {**fixed.get(section, {}), field: value}
    init = init_that_reads(section, field, inits)
    made = make_section(known.sections[section], section, base, changes, init)
    return plain(getattr(made, field)) if isinstance(made, BaseModel) else value
