"""What stages occupy while they run, as a search space says it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rotlab.planning.refusals import refusals
from rotlab.planning.report import Report
from rotlab.planning.stage import Resources, StageKind


class Occupied(BaseModel):
    """What `resources` may say of a stage kind."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    cpus: Annotated[int, Field(gt=0, description="cores")] = 1
    gpus: Annotated[float, Field(ge=0, description="devices, or a share of one")] | None = None


def read_resources(report: Report, kinds: Mapping[str, StageKind]) -> dict[str, Resources]:
    """Return kind -> what its stages occupy, for the kinds that the file names."""
    found = {}
    for name in report.mapping(("resources",), list(kinds), "stage kind"):
        default = kinds[name].resources
        given = report.mapping(("resources", name), list(Occupied.model_fields), "resource")
        try:
            Occupied.model_validate(given)
        except ValidationError as error:
            for refusal in refusals(error, given, Occupied):
                report.add(("resources", name, refusal.field or ""), refusal.text)
            continue
        gpus = given.get("gpus", default.gpus)
        if gpus is not None and gpus > 1 and gpus != int(gpus):
            report.add(
                ("resources", name, "gpus"), f"more than one device are whole ones, got {gpus}"
            )
        found[name] = Resources(given.get("cpus", default.cpus), gpus)
    return found
