"""What a worker tells the driver about its stage, as one string in a Tune result. Values only."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rotlab.execution.conduct.failures import Cause

FIELD = "rotlab"
DONE = "done"  # Tune's own word: it asks a trial that has said so for nothing more
State = Literal["RUNNING", "FINISHED", "REUSED", "FAILED", "KILLED", "HELD", "PRUNED"]
_LAST: tuple[State, ...] = (
    "FINISHED",
    "REUSED",
    "KILLED",
    "HELD",
    "PRUNED",
)  # an error is to be raised yet


@dataclass(frozen=True, slots=True)
class Point:
    """The metrics of one step.

    Args:
        step: counted from 1.
        time: seconds since the epoch.
        metrics: by name.
    """

    step: int
    time: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Message:
    """News of a stage: steps since the last message, and its state; with it, how it ended.

    Args:
        state: RUNNING until the last message.
        points: steps, oldest first.
        metrics: the stage's own, once FINISHED or REUSED.
        seconds: that the work took, once FINISHED or REUSED.
        error: one line, once FAILED; the other attempt's lease, where that is HELD.
        cause: of a failure.
        origin: where a result comes from, once FINISHED or REUSED: commit, device, host; "result",
            the attempt that made it, where that is another.
        gauges: how busy the machine was since the last message, oldest first.
    """

    state: State
    points: tuple[Point, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None
    cause: Cause | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    gauges: tuple[Point, ...] = ()


def to_result(message: Message, attempt: str, *, is_last: bool = True) -> dict[str, str | bool]:
    """Return the message as a result to report. Reporting the last one of a trial ends it.

    Args:
        message: the news.
        attempt: whose news they are.
        is_last: the attempt is the last that the trial is to make.
    """
    points, gauges = (_plain(each) for each in (message.points, message.gauges))
    values: list[object] = [message.state, points, gauges, dict(message.metrics), message.seconds]
    values += [message.error, message.cause, dict(message.origin)]
    ends = message.state == "KILLED" or (is_last and message.state in _LAST)
    return {FIELD: json.dumps([attempt, *values]), DONE: ends}


def from_result(result: Mapping[str, Any]) -> tuple[str, Message] | None:
    """Return whose message is in a Tune result, and the message; None where it holds none."""
    if FIELD not in result:
        return None
    attempt, state, *both, metrics, seconds, error, cause, origin = json.loads(result[FIELD])
    points, gauges = (tuple(Point(*point) for point in each) for each in both)
    return attempt, Message(state, points, metrics, seconds, error, cause, origin, gauges)


def _plain(points: Iterable[Point]) -> list[object]:
    return [[point.step, point.time, dict(point.metrics)] for point in points]
