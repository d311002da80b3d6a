"""What a study may cost at most, read and checked."""

import sys
from dataclasses import dataclass

from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report

LIMITS = {  # name in the file -> field, and the unit that people read
    "gpu_hours": ("gpu_hours", "GPU-hours"),
    "cpu_hours": ("cpu_hours", "core-hours"),
    "money": ("money", "in the currency of the price file"),
    "hours": ("wall_hours", "hours of wall time"),
}


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a study, each None where there is no such limit, else above 0 and finite.

    Args:
        gpu_hours: of all devices together.
        cpu_hours: of all cores together.
        money: in the currency of the user's price file.
        wall_hours: from the start of the run to its end.
    """

    gpu_hours: float | None = None
    cpu_hours: float | None = None
    money: float | None = None
    wall_hours: float | None = None

    def __bool__(self) -> bool:
        return self != Budget()

    def __str__(self) -> str:
        limits = ((getattr(self, field), unit) for field, unit in LIMITS.values())
        return ", ".join(f"{limit:g} {unit}" for limit, unit in limits if limit is not None)


def read_budget(report: Report) -> Budget:
    """Return the limits that a file sets."""
    found: dict[str, float] = {}
    for name, limit in report.mapping(("budget",), tuple(LIMITS), "limit").items():
        is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
        if is_number and 0 < limit <= sys.float_info.max:
            found[LIMITS[name][0]] = float(limit)
        else:
            said = f"must be a finite number greater than 0, got {shown(limit)}"
            report.add(("budget", name), said)
    return Budget(**found)
