"""What one MLflow run is to hold: params, tags, metrics, data, state. Values only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from rotlab.tracking.artifacts import Result
from rotlab.tracking.roster import canonical

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric."""

    name: str
    value: float
    time_ms: int
    step: int


@dataclass(frozen=True, slots=True)
class DataUse:
    """A data set that a stage was given.

    Args:
        name: as the search space has it.
        role: which of its rows.
        split: the official split; None where the role does not depend on it.
        fingerprint: of the prepared set.
    """

    name: str
    role: str
    split: int | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RunWrite:
    """Something that one MLflow run is to hold. Writing it twice leaves what writing it once does.

    Args:
        key: identity of the run within the experiment, for the tag `rotlab.key`.
        name: for people.
        start_ms: when the run began, should it have to be made.
        params: what the run was made with; the same in every write to a run.
        tags: what is to stand in its tags.
        points: metric values.
        data: what it was given; the same in every write to a run.
        status: what the run is to be in now; None leaves it as it is.
        end_ms: when it ended, where it has.
        result: whose files it is to have, where there are any.
    """

    key: str
    name: str
    start_ms: int
    params: Mapping[str, str]
    tags: Mapping[str, str]
    points: tuple[Point, ...] = ()
    data: tuple[DataUse, ...] = ()
    status: Status | None = None
    end_ms: int | None = None
    result: Result | None = None


def merge(first: RunWrite, second: RunWrite) -> RunWrite:
    """Return what two writes to one run come to, the second after the first."""
    return replace(
        second,
        tags={**first.tags, **second.tags},
        points=first.points + second.points,
        status=second.status or first.status,
        end_ms=second.end_ms if second.status else first.end_ms,
        result=second.result or first.result,
    )


def points_of(metrics: Mapping[str, float], time_ms: int, step: int) -> tuple[Point, ...]:
    """Return metrics, by name, as points of one time and step; names as MLflow takes them."""
    return tuple(
        Point(_metric_name(name), float(value), time_ms, step) for name, value in metrics.items()
    )


def _metric_name(name: str) -> str:
    """Return the name with "_" for all that MLflow refuses: @ and % and the like."""
    return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return settings by dotted name: text as it is, everything else as JSON."""
    flat: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value if isinstance(value, str) else canonical(value)
    return flat
