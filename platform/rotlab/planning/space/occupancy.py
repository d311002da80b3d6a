"""What stages occupy while they run, as a search space says it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rotlab.planning.space.refusals import refusals
from rotlab.planning.space.report import Report
from rotlab.planning.stage import Resources, StageKind

AUTO = "auto"


class Occupied(BaseModel):
    """What `resources` may say of a stage kind."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    cpus: Annotated[int, Field(gt=0, description="cores, of all processes")] = 1
    gpus: Annotated[float, Field(ge=0, description="devices, or a share of one")] | None = None
    processes: Annotated[
        int,
        Field(gt=0, description="that compute it together; one a device where gpus are several"),
    ] = 1


def read_resources(report: Report, kinds: Mapping[str, StageKind]) -> dict[str, Resources]:
    """Return kind -> what its stages occupy, for the kinds that the file names."""
    found = {}
    for name in report.mapping(("resources",), list(kinds), "stage kind"):
        default = kinds[name].resources
        given = report.mapping(("resources", name), list(Occupied.model_fields), "resource")
        is_measured = given.get("gpus") == AUTO
        if isinstance(given.get("gpus"), str):
            why = _why_not_measured(given, kinds[name])
            if why is not None:
                report.add(("resources", name, "gpus"), why)
                continue
            given = {word: value for word, value in given.items() if word != "gpus"}
        try:
            Occupied.model_validate(given)
        except ValidationError as error:
            for refusal in refusals(error, given, Occupied):
                report.add(("resources", name, refusal.field or ""), refusal.text)
            continue
        gpus = None if is_measured else given.get("gpus", default.gpus)
        if gpus is not None and gpus > 1 and gpus != int(gpus):
            report.add(
                ("resources", name, "gpus"), f"more than one device are whole ones, got {gpus}"
            )
            continue
        is_divided = kinds[name].divides is not None
        several = int(gpus) if is_divided and gpus is not None and gpus > 1 else 1
        processes = given.get("processes", several)
        cpus = given.get("cpus", default.cpus if processes == 1 else processes)
        for word, text in _uneven(name, cpus, gpus, processes, is_divided=is_divided):
            report.add(("resources", name, word if word in given else ""), text)
        found[name] = Resources(cpus, gpus, processes, measured=is_measured)
    return found


def _why_not_measured(given: Mapping[str, Any], kind: StageKind) -> str | None:
    """Why a word does not stand for a measured share of a device, or None where it does."""
    if given["gpus"] != AUTO:
        return f"must be a number, or {AUTO} for a share that is measured, got {given['gpus']!r}"
    if kind.resources.gpus == 0:
        return f"a {kind.name} takes no device, so there is nothing to measure; leave it out"
    if kind.fills is None or kind.brief is None:
        return (
            f"{AUTO} is measured on some of the videos, and the memory of a {kind.name} may grow "
            "with their number; give a number, such as 0.5"
        )
    if given.get("processes", 1) != 1:
        return f"{AUTO} is a share of one device, for one process, got {given['processes']}"
    return None


def _uneven(
    kind: str, cpus: int, gpus: float | None, processes: int, *, is_divided: bool
) -> Iterator[tuple[str, str]]:
    """Yield the word and the rule where processes cannot take even shares."""
    if processes > 1 and not is_divided:
        yield "processes", f"a {kind} is computed by one process, got {processes}; leave it out"
        return
    if is_divided and gpus and gpus != processes and (gpus > 1 or processes > 1):
        yield (
            "gpus",
            f"each process takes one device: gpus must be {processes}, as processes is, or 0, got "
            f"{gpus:g}",
        )
    if cpus % processes:
        yield "cpus", f"must be a multiple of the {processes} processes, got {cpus}"
