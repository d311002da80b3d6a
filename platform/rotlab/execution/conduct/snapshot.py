"""How a run stands at one moment, and how long the rest may take. No clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rotlab.execution.conduct.attempts import Attempts
from rotlab.execution.conduct.durations import Durations
from rotlab.planning.plan.plan import Plan
from rotlab.planning.release.release import Counts, Release


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


def take_snapshot(
    plan: Plan,
    release: Release,
    attempts: Attempts,
    durations: Durations,
    began: float,
    now: float,
    ended: int,
) -> Snapshot:
    """Return how a run stands.

    Args:
        plan: of the run.
        release: of its stages.
        attempts: that were released and have not ended.
        durations: of stages that have.
        began: when the run did, in seconds since the epoch.
        now: likewise.
        ended: how many stages the run has ended.
    """
    counts = {kind: release.counts(kind) for kind in plan.count_by_kind()}
    active = []
    for key, one in attempts.all().items():
        kind = plan.stages[key].kind
        if one.since is not None:
            active.append(Active(key, kind, now - one.since, one.step, dict(one.metrics)))
            continue
        before = counts[kind]
        counts[kind] = replace(before, running=before.running - 1, waiting=before.waiting + 1)
    active.sort(key=lambda each: -each.seconds)
    left, is_least = seconds_left(counts, active, durations.all)
    return Snapshot(counts, tuple(active), now - began, left, is_least, ended)


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
