"""How a run stands at one moment, and how long the rest may take. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rotlab.planning.release import Counts


@dataclass(frozen=True, slots=True)
class Active:
    """A stage at work, as shown.

    Args:
        key: of the stage.
        kind: of the stage.
        seconds: since its start.
        step: the last one heard of, or 0.
        metrics: the last values heard of.
    """

    key: str
    kind: str
    seconds: float
    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a run stands.

    Args:
        counts: kind -> stages by state; a released stage that has no worker yet counts as waiting.
        active: stages at work, longest first.
        seconds: since the run began.
        seconds_left: estimate; None where nothing is known to go by.
        is_least: whether the estimate leaves out kinds of which no stage has ended yet.
        ended: how many stages this run has ended.
    """

    counts: Mapping[str, Counts]
    active: tuple[Active, ...]
    seconds: float
    seconds_left: float | None
    is_least: bool
    ended: int


def seconds_left(
    counts: Mapping[str, Counts],
    active: Sequence[Active],
    seconds: Mapping[str, Sequence[float]],
) -> tuple[float | None, bool]:
    """Return the mean duration of what remains, shared among as many as work now.

    And whether that is the least, as there are kinds of which none has ended yet.

    Args:
        counts: kind -> stages by state.
        active: stages at work.
        seconds: kind -> how long each of its stages took that have ended.
    """
    left, is_least = 0.0, False
    for kind, each in counts.items():
        if each.waiting + each.running == 0:
            continue
        if not seconds.get(kind):
            is_least = True
            continue
        mean = sum(seconds[kind]) / len(seconds[kind])
        left += each.waiting * mean
        left += sum(max(mean - a.seconds, 0.0) for a in active if a.kind == kind)
    if is_least and left == 0.0:
        return None, True
    return left / max(len(active), 1), is_least
