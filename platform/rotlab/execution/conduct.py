"""The driver's view of a run: what may start, what runs, how it ended, who is told. No Ray."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from rotlab.execution.capacity import Capacity
from rotlab.execution.failures import Failure, is_repeated
from rotlab.execution.message import Message
from rotlab.execution.record import Record
from rotlab.execution.store import new_attempt_id
from rotlab.planning.plan import Plan
from rotlab.planning.release import Counts, Release
from rotlab.planning.stage import Resources

Event = dict[str, Any]


class Listener(Protocol):
    """Who is told of every event, in order."""

    def record(self, event: Event) -> None:
        """Take an event; never wait for anything slow."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at a stage, to be started."""

    key: str
    attempt: str
    resources: Resources


@dataclass(slots=True)
class Running:
    """A released stage; `since` is None while it waits for a worker."""

    attempt: str
    resources: Resources
    since: float | None = None
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


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


class Conduct:
    """Joins the release of stages, what workers say of them, and those who listen. Thread-safe.

    Args:
        plan: what is to be done.
        records: of the plan's stages that are done already.
        resources: kind -> request, resolved.
        capacity: of the cluster.
        listener: hears of every event.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        plan: Plan,
        records: Mapping[str, Record],
        resources: Mapping[str, Resources],
        capacity: Capacity,
        listener: Listener,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._plan = plan
        self._resources = resources
        self._capacity = capacity
        self._listener = listener
        self._clock = clock
        self._began = clock()
        self._release = Release(plan, records)
        self._running: dict[str, Running] = {}
        self._repeats: dict[str, int] = {}
        self._seconds: dict[str, list[float]] = {}
        for record in records.values():
            self._seconds.setdefault(record.kind, []).append(record.seconds)
        self._ended = 0
        self._lock = threading.RLock()
        self.stopping = False  # set from a signal handler, which must not wait for the lock
        self.failures: dict[str, Failure] = {}

    def propose(self) -> Assignment | Literal["FINISHED"] | None:
        """Return what to start next, None to wait, or "FINISHED" where nothing can ever start."""
        with self._lock:
            if self.stopping or self._release.exhausted:
                return "FINISHED"
            ready = self._release.ready(1)
            if not ready:
                return None
            key = ready[0]
            wanted = self._resources[self._plan.stages[key].kind]
            if not self._capacity.admits(
                (each.resources for each in self._running.values()), wanted
            ):
                return None
            assignment = Assignment(key, new_attempt_id(), wanted)
            self._release.started(key)
            self._running[key] = Running(assignment.attempt, wanted)
            return assignment

    def began(self, key: str, attempt: str) -> None:
        """Learn that a worker took the attempt."""
        with self._lock:
            running = self._find(key, attempt)
            if running is not None:
                running.since = self._clock()
                self._tell("stage_started", key, attempt=attempt)

    def heard(self, key: str, attempt: str, message: Message) -> None:
        """Take a worker's message."""
        with self._lock:
            running = self._find(key, attempt)
            if running is None:
                return
            for point in message.points:
                running.step = point.step
                running.metrics.update(point.metrics)
                self._listener.record(
                    {
                        "event": "stage_metrics",
                        "time": point.time,
                        "key": key,
                        "attempt": attempt,
                        "step": point.step,
                        "metrics": dict(point.metrics),
                    }
                )
            match message.state:
                case "FINISHED" | "REUSED":
                    self._finish(key, attempt, message)
                case "FAILED":
                    self._fail(key, attempt, Failure("raised", message.error or "no reason given"))
                case "KILLED":
                    self._fail(
                        key, attempt, Failure("stopped", "stopped, though nobody asked for it")
                    )

    def died(self, key: str, attempt: str, reason: str) -> None:
        """Learn that an attempt's worker is gone; nothing happens if it had told how it ended."""
        with self._lock:
            if self._find(key, attempt) is not None:
                self._fail(key, attempt, Failure("died", reason))

    def abandon(self) -> None:
        """Give up all that was released: it did not end."""
        with self._lock:
            for key, running in tuple(self._running.items()):
                self._put_back(key, running.attempt)

    @property
    def idle(self) -> bool:
        """Whether no worker is at a stage."""
        with self._lock:
            return all(running.since is None for running in self._running.values())

    @property
    def finished_all(self) -> bool:
        """Whether every stage is done."""
        with self._lock:
            return self._release.finished_all

    def missing(self) -> dict[str, str]:
        """Return key -> why, for stages that are not done, in the plan's order."""
        with self._lock:
            return self._release.missing()

    def snapshot(self) -> Snapshot:
        """Return how the run stands now."""
        with self._lock:
            now = self._clock()
            active = [
                Active(
                    key,
                    self._plan.stages[key].kind,
                    now - each.since,
                    each.step,
                    dict(each.metrics),
                )
                for key, each in self._running.items()
                if each.since is not None
            ]
            counts = {kind: self._counts(kind) for kind in self._plan.count_by_kind()}
            active.sort(key=lambda each: -each.seconds)
            seconds_left, is_least = self._seconds_left(counts, active)
            return Snapshot(
                counts, tuple(active), now - self._began, seconds_left, is_least, self._ended
            )

    def _find(self, key: str, attempt: str) -> Running | None:
        running = self._running.get(key)
        return running if running is not None and running.attempt == attempt else None

    def _finish(self, key: str, attempt: str, message: Message) -> None:
        del self._running[key]
        self._ended += 1
        self._release.finished(key)
        self._seconds.setdefault(self._plan.stages[key].kind, []).append(message.seconds)
        self._tell(
            "stage_ended",
            key,
            attempt=attempt,
            state=message.state,
            metrics=dict(message.metrics),
            seconds=message.seconds,
            error=None,
        )

    def _fail(self, key: str, attempt: str, failure: Failure) -> None:
        if self.stopping:
            self._put_back(key, attempt)
            return
        repeats = self._repeats.get(key, 0)
        if is_repeated(failure, repeats):
            self._repeats[key] = repeats + 1
            self._put_back(key, attempt, failure.reason)
            return
        del self._running[key]
        self._ended += 1
        self.failures[key] = failure
        cancelled = self._release.failed(key, failure.reason)
        self._tell("stage_ended", key, attempt=attempt, state="FAILED", error=failure.reason)
        for other in cancelled:
            why = self._release.missing()[other]
            self._tell("stage_ended", other, attempt=None, state="CANCELLED", error=why)

    def _put_back(self, key: str, attempt: str, error: str | None = None) -> None:
        running = self._running.pop(key)
        self._release.requeue(key)
        if running.since is not None:
            self._tell("stage_ended", key, attempt=attempt, state="KILLED", error=error)

    def _tell(self, event: str, key: str, **values: object) -> None:
        self._listener.record({"event": event, "time": self._clock(), "key": key, **values})

    def _counts(self, kind: str) -> Counts:
        counts = self._release.counts(kind)
        pending = sum(
            each.since is None and self._plan.stages[key].kind == kind
            for key, each in self._running.items()
        )
        return Counts(
            done=counts.done,
            running=counts.running - pending,
            waiting=counts.waiting + pending,
            failed=counts.failed,
            cancelled=counts.cancelled,
        )

    def _seconds_left(
        self, counts: Mapping[str, Counts], active: list[Active]
    ) -> tuple[float | None, bool]:
        """The mean duration of what remains, shared among as many as work now.

        And whether that is the least, as there are kinds of which none has ended yet.
        """
        left, is_least = 0.0, False
        for kind, each in counts.items():
            if each.waiting + each.running == 0:
                continue
            if kind not in self._seconds:
                is_least = True
                continue
            mean = sum(self._seconds[kind]) / len(self._seconds[kind])
            left += each.waiting * mean
            left += sum(max(mean - a.seconds, 0.0) for a in active if a.kind == kind)
        if is_least and left == 0.0:
            return None, True
        return left / max(len(active), 1), is_least
