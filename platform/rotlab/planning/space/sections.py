"""What a search space fixes: sections of settings, and the choices beside them."""

from collections.abc import Callable, Mapping
from typing import Any

from rotlab.planning.inits import inits, is_pretext, reads
from rotlab.planning.space.names import unknown
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.settings import Vocabulary
from rotlab.planning.space.shape import MODALITIES

# What a cell chooses outside any section -> what gives its valid values.
CHOICES: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "modality": lambda: tuple(MODALITIES),
    "init": inits,
}
DATA = "data"  # a section, which also names the data sets
DATA_ROLES = ("pretrain", "target", "weights")
TASK = "pretext.task"  # a setting that init takes the place of
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


def refuse_what_no_init_reads(
    report: Report, section: str, given: Mapping[str, Any], starts: list[str]
) -> None:
    """A fixed setting that nothing reads is a slip; of a pretext, where there is any to read it."""
    is_idle = section == "pretext" and not any(is_pretext(one) for one in starts)
    for field in given:
        if f"{section}.{field}" == TASK:
            report.add((section, field), f"the task is what init names: {as_init(given[field])}")
        elif starts and not is_idle and not any(reads(one, section, field) for one in starts):
            readers = ", ".join(one for one in inits() if reads(one, section, field))
            report.add(
                (section, field),
                f"nothing reads it where init is {', '.join(starts)}; "
                + (f"it is for {readers}" if readers else "install the pretext that it is for"),
            )


def as_init(task: object) -> str:
    """Return what to write in place of a task."""
    return f"write init: {shown(task)}".replace("'", "")
