"""What a search space fixes and what it varies: sections and axes, read and checked."""

from collections.abc import Mapping
from math import prod
from typing import Any

from pydantic import BaseModel

from rotlab.planning.key import canonical
from rotlab.planning.names import unknown
from rotlab.planning.refusals import shown
from rotlab.planning.report import Report
from rotlab.planning.settings import Vocabulary, make_section, plain, variants
from rotlab.planning.shape import INITS, MODALITIES
from rotlab.planning.source import Place

CHOICES = {"modality": MODALITIES, "init": INITS}  # what a cell chooses outside any section
DATA = "data"  # a section, which also names the data sets
DATA_ROLES = ("pretrain", "target")
MOST = 1_000_000  # combinations of values: more is a slip, and would fill the memory
Settings = Mapping[str, Mapping[str, Any]]


def read_sections(report: Report, known: Vocabulary) -> dict[str, dict[str, Any]]:
    """Return section -> field -> fixed value; the values are checked with the axes."""
    found = {}
    for section, model in known.sections.items():
        beside = DATA_ROLES if section == DATA else ()
        allowed = [*beside, *model.model_fields]
        given = report.mapping((section,), allowed, f"setting of {section}")
        fields = {name: value for name, value in given.items() if name not in beside}
        if fields:
            found[section] = fields
    return found


def read_choice(report: Report, name: str, default: str) -> str:
    """Return the fixed value of `modality` or `init`."""
    if not report.has((name,)):
        return default
    value = report.get((name,))
    if value in CHOICES[name]:
        return str(value)
    report.add((name,), unknown(name, value, CHOICES[name]))
    return default


def read_axes(
    report: Report, known: Vocabulary, base: str, fixed: Settings
) -> dict[str, tuple[Any, ...]]:
    """Return axis -> values, normalised.

    The fixed values are checked as well, because some rules bind several settings.
    """
    written = _written_axes(report, known, fixed)
    arms = prod(len(values) for values in written.values())
    if arms > MOST:
        report.add(
            ("axes",), f"{arms:,} combinations of values, more than {MOST:,}; take some away"
        )
        return {}
    axes: dict[str, tuple[Any, ...]] = {}
    for section, model in known.sections.items():
        varied = {
            axis.partition(".")[2]: values
            for axis, values in written.items()
            if axis.partition(".")[0] == section
        }
        normal = _check_section(report, model, section, base, fixed.get(section, {}), varied)
        axes.update({f"{section}.{field}": values for field, values in normal.items()})
    for name in written:
        if name in CHOICES:
            axes[name] = _check_choices(report, name, written[name])
    for name, values in axes.items():
        _refuse_twins(report, name, values)
    return {name: axes[name] for name in written}


def _written_axes(report: Report, known: Vocabulary, fixed: Settings) -> dict[str, list[Any]]:
    """The axes with a valid name and a list that is not empty."""
    if not report.has(("axes",)):
        return {}
    value = report.get(("axes",))
    if not isinstance(value, dict):
        report.add(
            ("axes",), f"must be a mapping of settings to lists of values, got {shown(value)}"
        )
        return {}
    found = {}
    for axis, values in value.items():
        place = ("axes", axis)
        section, _, field = axis.partition(".")
        if axis in ("seed", "split"):
            report.add(place, f"a {axis} is no axis; write replicates: {{{axis}: [...]}}")
        elif axis not in CHOICES and not known.knows(axis):
            report.add(place, known.why_unknown(axis, CHOICES))
        elif axis not in CHOICES and not known.changes_results(axis):
            report.add(place, "changes no result: nothing to compare; fix it in its section")
        elif report.has((axis,)) or field in fixed.get(section, {}):
            at = report.source.line(*((section, field) if field else (axis,)))
            report.add(place, f"is fixed in line {at} and an axis as well; take one of them away")
        elif not isinstance(values, list):
            report.add(
                place,
                f"must be a list of values, got {shown(values)}; "
                "a single one is fixed outside axes",
            )
        elif report.items(place):
            found[axis] = values
    return found


def _check_section(
    report: Report,
    model: type[BaseModel],
    section: str,
    base: str,
    fixed: Mapping[str, Any],
    axes: Mapping[str, list[Any]],
) -> dict[str, tuple[Any, ...]]:
    """Note what is wrong with a section's values; return those of its axes, normalised."""
    before = len(report.problems)
    _check_each(report, model, section, base, fixed, {field: (section, field) for field in fixed})
    for field, values in axes.items():
        for index, value in enumerate(values):
            place = ("axes", f"{section}.{field}", index)
            _check_each(report, model, section, base, {**fixed, field: value}, {field: place})
    if len(report.problems) > before:
        return {field: tuple(values) for field, values in axes.items()}
    made = variants(model, section, base, fixed, axes)
    good = {chosen: one for chosen, one in made.items() if isinstance(one, BaseModel)}
    if not good:
        refused = next(one for one in made.values() if isinstance(one, tuple))
        at = ("axes", f"{section}.{next(iter(axes))}") if axes else (section,)
        for refusal in refused:
            report.add(at, refusal.text)
    normal: dict[str, tuple[Any, ...]] = {}
    for position, (field, values) in enumerate(axes.items()):
        first = {
            chosen[position]: plain(getattr(one, field)) for chosen, one in reversed(good.items())
        }
        normal[field] = tuple(first.get(index, value) for index, value in enumerate(values))
    return normal


def _check_each(
    report: Report,
    model: type[BaseModel],
    section: str,
    base: str,
    changes: Mapping[str, Any],
    places: Mapping[str | None, Place],
) -> None:
    """Note the refusals of single fields, of those fields that have a place."""
    made = make_section(model, section, base, changes)
    for refusal in made if isinstance(made, tuple) else ():
        if refusal.field in places:
            report.add((*places[refusal.field], *refusal.place), refusal.text)


def _check_choices(report: Report, name: str, values: list[Any]) -> tuple[Any, ...]:
    for index, value in enumerate(values):
        if value not in CHOICES[name]:
            report.add(("axes", name, index), unknown(name, value, CHOICES[name]))
    return tuple(values)


def _refuse_twins(report: Report, name: str, values: tuple[Any, ...]) -> None:
    seen: dict[str, int] = {}
    for index, value in enumerate(values):
        first = seen.setdefault(canonical(value), index)
        if first != index:
            report.add(
                ("axes", name, index), f"value {index + 1} is equal to value {first + 1}: {value!r}"
            )
