"""What a search space fixes and what it varies: sections and axes, read and checked."""

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

from pydantic import BaseModel

from rotlab.planning.inits import inits, is_pretext, reads, ways
from rotlab.planning.key import canonical
from rotlab.planning.names import unknown
from rotlab.planning.refusals import shown
from rotlab.planning.report import Report
from rotlab.planning.settings import Made, Vocabulary, make_section, plain, variants
from rotlab.planning.shape import MODALITIES
from rotlab.planning.source import Place

# What a cell chooses outside any section -> what gives its valid values.
CHOICES: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "modality": lambda: tuple(MODALITIES),
    "init": inits,
}
DATA = "data"  # a section, which also names the data sets
DATA_ROLES = ("pretrain", "target", "weights")
TASK = "pretext.task"  # a setting that init takes the place of
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
    value, valid = report.get((name,)), CHOICES[name]()
    if value in valid:
        return str(value)
    report.add((name,), unknown(name, value, valid))
    return default


def read_axes(
    report: Report, known: Vocabulary, base: str, fixed: Settings, init: str
) -> dict[str, tuple[Any, ...]]:
    """Return axis -> values, normalised.

    The fixed values are checked as well, because some rules bind several settings.

    Args:
        report: notes what is wrong.
        known: the sections there are.
        base: name of the recipe.
        fixed: section -> field -> fixed value.
        init: the fixed one, where it is no axis.
    """
    written = _written_axes(report, known, fixed)
    arms = prod(len(values) for values in written.values())
    if arms > MOST:
        report.add(
            ("axes",), f"{arms:,} combinations of values, more than {MOST:,}; take some away"
        )
        return {}
    axes: dict[str, tuple[Any, ...]] = {}
    for name in written:
        if name in CHOICES:
            axes[name] = _check_choices(report, name, written[name])
    starts = [one for one in axes.get("init", (init,)) if one in inits()]
    for section, model in known.sections.items():
        varied = {
            axis.partition(".")[2]: values
            for axis, values in written.items()
            if axis.partition(".")[0] == section
        }
        given = fixed.get(section, {})
        _refuse_what_no_init_reads(report, section, given, starts)
        for start, fields in _ways(section, (*given, *varied), starts).items():
            normal = _check_section(
                report,
                model,
                section,
                base,
                {field: value for field, value in given.items() if field in fields},
                {field: values for field, values in varied.items() if field in fields},
                start,
            )
            axes.update({f"{section}.{field}": values for field, values in normal.items()})
    for name, values in axes.items():
        _refuse_twins(report, name, values)
    return {name: axes[name] for name in written}


def init_that_reads(section: str, field: str, among: Iterable[str]) -> str:
    """Return an init that reads a setting, the first of those given that does where one does."""
    candidates = (*among, *inits())
    return next((one for one in candidates if reads(one, section, field)), candidates[0])


def _ways(section: str, fields: tuple[str, ...], starts: list[str]) -> dict[str, tuple[str, ...]]:
    """Inits that read a section differently -> what each reads, until all fields are read."""
    found = ways(section, fields, starts)
    read = {field for of_init in found.values() for field in of_init}
    for field in fields:
        if field not in read:  # it collapses, but its values are to be valid all the same
            reader = init_that_reads(section, field, starts)
            found[reader] = (*found.get(reader, ()), field)
    return found


def _refuse_what_no_init_reads(
    report: Report, section: str, given: Mapping[str, Any], starts: list[str]
) -> None:
    """A fixed setting that nothing reads is a slip; of a pretext, where there is any to read it."""
    is_idle = section == "pretext" and not any(is_pretext(one) for one in starts)
    for field in given:
        if f"{section}.{field}" == TASK:
            report.add((section, field), f"the task is what init names: {_as_init(given[field])}")
        elif starts and not is_idle and not any(reads(one, section, field) for one in starts):
            readers = ", ".join(one for one in inits() if reads(one, section, field))
            report.add(
                (section, field),
                f"nothing reads it where init is {', '.join(starts)}; "
                + (f"it is for {readers}" if readers else "install the pretext that it is for"),
            )


def _as_init(task: object) -> str:
    return f"write init: {shown(task)}".replace("'", "")


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
        if why := _why_no_axis(known, axis, values):
            report.add(place, why)
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


def _why_no_axis(known: Vocabulary, axis: str, values: object) -> str | None:
    if axis in ("seed", "split"):
        return f"a {axis} is no axis; write replicates: {{{axis}: [...]}}"
    if axis == TASK:
        return f"the task is what init names: {_as_init(values)}"
    if axis not in CHOICES and not known.knows(axis):
        return known.why_unknown(axis, CHOICES)
    if axis not in CHOICES and not known.changes_results(axis):
        return "changes no result: nothing to compare; fix it in its section"
    section, _, field = axis.partition(".")
    if axis not in CHOICES and not any(reads(one, section, field) for one in inits()):
        return f"no init reads it ({', '.join(inits())}); install the pretext that it is for"
    return None


def _check_section(
    report: Report,
    model: type[BaseModel],
    section: str,
    base: str,
    fixed: Mapping[str, Any],
    axes: Mapping[str, list[Any]],
    init: str,
) -> dict[str, tuple[Any, ...]]:
    """Note what is wrong with a section's values; return those of its axes, normalised."""
    before = len(report.problems)
    places: dict[str | None, Place] = {field: (section, field) for field in fixed}
    _check_each(report, make_section(model, section, base, fixed, init), places)
    for field, values in axes.items():
        for index, value in enumerate(values):
            one = make_section(model, section, base, {**fixed, field: value}, init)
            _check_each(report, one, {field: ("axes", f"{section}.{field}", index)})
    if len(report.problems) > before:
        return {field: tuple(values) for field, values in axes.items()}
    made = variants(model, section, base, fixed, axes, init)
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


def _check_each(report: Report, made: Made, places: Mapping[str | None, Place]) -> None:
    """Note the refusals of single fields, of those fields that have a place."""
    for refusal in made if isinstance(made, tuple) else ():
        if refusal.field in places:
            report.add((*places[refusal.field], *refusal.place), refusal.text)


def _check_choices(report: Report, name: str, values: list[Any]) -> tuple[Any, ...]:
    valid = CHOICES[name]()
    for index, value in enumerate(values):
        if value not in valid:
            report.add(("axes", name, index), unknown(name, value, valid))
    return tuple(values)


def _refuse_twins(report: Report, name: str, values: tuple[Any, ...]) -> None:
    seen: dict[str, int] = {}
    for index, value in enumerate(values):
        first = seen.setdefault(canonical(value), index)
        if first != index:
            report.add(
                ("axes", name, index), f"value {index + 1} is equal to value {first + 1}: {value!r}"
            )
