"""The driver's view of a run: what may start, what runs, how it ended, who is told. No Ray."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from rotlab.execution.conduct.assignment import Assignment
from rotlab.execution.conduct.attempts import Attempts, Name
from rotlab.execution.conduct.budget import NEAR, Usage, nearest
from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.choosing import choose
from rotlab.execution.conduct.durations import Durations
from rotlab.execution.conduct.elsewhere import Elsewhere
from rotlab.execution.conduct.failures import Alike, Failure
from rotlab.execution.conduct.grown import behind
from rotlab.execution.conduct.growth import Growth
from rotlab.execution.conduct.lines import line_after
from rotlab.execution.conduct.listener import Event, Listener
from rotlab.execution.conduct.message import Message
from rotlab.execution.conduct.policy import Policy
from rotlab.execution.conduct.retries import Retries
from rotlab.execution.conduct.shares import Shares
from rotlab.execution.conduct.snapshot import Snapshot, take_snapshot
from rotlab.execution.conduct.stranded import Stranded
from rotlab.execution.conduct.teller import Teller
from rotlab.execution.conduct.unneeded import sort_out
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial import grown
from rotlab.planning.release.fairness import Wish
from rotlab.planning.release.release import Release
from rotlab.planning.stage import Resources
from rotlab.store.record import Record
from rotlab.store.store import new_attempt_id
from rotnet.errors import UserError

__all__ = ["Assignment", "Conduct", "Event", "Listener", "Policy"]

_WORKER_START_S = 30.0


class Conduct:
    """Joins the release of stages, what workers say of them, and those who listen. Thread-safe.

    Args:
        plan: what is to be done.
        records: of the plan's stages that are done already.
        resources: kind -> request, resolved.
        capacity: of the cluster, now and whenever it is called.
        listener: hears of every event.
        clock: seconds since the epoch.
        policy: what it may use, and what it makes of errors.
        used: what the study has used before.
        seconds: key -> how long a stage is thought to take, by which the critical path is told.
        shares: key -> request, resolved, of stages that ask for another than their kind.
        searches: searches, or looks, by which the plan grows as stages end, where it does.
        measured: knows the shares of a device that stages take, where some are measured.
    """

    def __init__(
        self,
        plan: Plan,
        records: Mapping[str, Record],
        resources: Mapping[str, Resources],
        capacity: Callable[[], Capacity],
        listener: Listener,
        clock: Callable[[], float] = time.time,
        policy: Policy | None = None,
        used: Usage | None = None,
        seconds: Mapping[str, float] | None = None,
        shares: Mapping[str, Resources] | None = None,
        searches: Growth | None = None,
        measured: Shares | None = None,
    ) -> None:
        self._plan = plan
        self._searches = searches
        self._resources = resources
        self._capacity = capacity
        self._listener = listener
        self._clock = clock
        self._policy = policy or Policy()
        self._began = clock()
        self._given = plan.stages.keys()
        self._release = Release(plan, records, seconds)
        if searches is not None:
            sort_out(self._release, searches)
        self._attempts = Attempts()
        self._elsewhere = Elsewhere(self._policy.stale_s)
        self._measured = measured
        self._larger: dict[str, Resources] = measured.of(plan) if measured else {}
        self._larger.update(shares or {})
        self._retries = Retries(capacity)
        self._teller = Teller(listener, clock, self._policy.rates, used)
        self._alike = Alike()
        self._stranded = Stranded()
        self._durations = Durations()
        for record in records.values():
            self._durations.took(record.kind, record.seconds)
        self._ended = 0
        self._lock = threading.RLock()
        self.stopping = False  # set from a signal handler, which must not wait for the lock
        self.halted: str | None = None
        self.used_beside = Usage()  # by other runs of the study
        self.limit: float | None = None  # of the cluster, while other runs on it lack room
        self.is_near = ""  # the limit that is nearly used up, once one is
        self.failures: dict[str, Failure] = {}

    @property
    def plan(self) -> Plan:
        """What is to be done, as far as it is known."""
        return self._plan

    def propose(self) -> Assignment | Literal["FINISHED"] | None:
        """Return what to start next, None to wait, or "FINISHED" where nothing can ever start."""
        with self._lock:
            self._let_go()
            if self.stopping or self.halted or self._release.exhausted:
                return "FINISHED"
            capacity = self._capacity()
            self._attempts.settle(capacity)
            held = self._attempts.held()
            if self._policy.concurrency and len(held) >= self._policy.concurrency:
                return None
            key = choose(
                self._release,
                self._attempts,
                self._elsewhere,
                self._wanted,
                held,
                capacity,
                self._clock(),
            )
            if key is None:
                return None
            wanted = self._wanted(key)
            if self._is_beyond(capacity, [*held, wanted]):
                return None
            line = [
                self._assign(one, wanted) for one in (key, *self._after(key, wanted, len(held)))
            ]
            self._attempts.add(
                [Name(one.key, one.attempt) for one in line],
                wanted,
                self._clock(),
            )
            self._attempts.settle(capacity)
            return replace(line[0], then=tuple(line[1:]))

    def began(self, key: str, attempt: str) -> None:
        """Learn that a worker took the attempt."""
        with self._lock:
            running = self._attempts.find(key, attempt)
            if running is not None:
                running.is_in_line = False
                running.since = self._clock()
                self._teller.tell_started(key, attempt, running.resources)

    def is_spare(self, key: str, attempt: str) -> bool:
        """Say whether an attempt waits for a worker that another stage leaves.

        One that had room when it was released has its own worker started, which takes some time.
        """
        with self._lock:
            running = self._attempts.find(key, attempt)
            if running is None or running.since is not None:
                return False
            return not running.has_room or self._clock() - running.released > _WORKER_START_S

    def wish(self, study: str, weight: float) -> Wish:
        """Return what the run takes of its cluster, and what it would take next.

        Args:
            study: that is run.
            weight: of the study among those that share the cluster.
        """
        with self._lock:
            capacity, running = self._capacity(), self._attempts.running()
            most = self._policy.concurrency
            is_full = most is not None and len(running) >= most
            ends = self.stopping or bool(self.halted)
            waiting = () if is_full or ends else self._next()
            return Wish(study, weight, capacity.part(running), capacity.part(waiting))

    @property
    def is_over(self) -> bool:
        """Whether workers are at more stages than the run may take while others lack room."""
        with self._lock:
            return self._is_beyond(self._capacity(), self._attempts.running())

    def withdraws(self, key: str, attempt: str) -> bool:
        """Take back an attempt that waits, and those in line behind it, if others lack the room.

        Return whether it was: nothing may come of the attempt any more.
        """
        with self._lock:
            waiting = self._attempts.find(key, attempt)
            if waiting is None or waiting.since is not None:
                return False
            if not self._is_beyond(self._capacity(), self._attempts.held()):
                return False
            name: Name | None = Name(key, attempt)
            while name is not None:
                then = self._attempts.at(name.key).then
                self._put_back(*name)
                name = then
            return True

    def heard(self, key: str, attempt: str, message: Message) -> None:
        """Take a worker's message."""
        with self._lock:
            running = self._attempts.find(key, attempt)
            if running is None:
                return
            if message.state == "HELD":
                self._attempts.pop(key)
                self._release.requeue(key)
                self._elsewhere.note(key, message.error or "", self._clock())
                self._teller.tell("stage_held", key, attempt=attempt)
                self._go_on(running.then)
                return
            for point in message.points:
                running.step = point.step
                running.metrics.update(point.metrics)
            self._teller.tell_points(key, attempt, message)
            is_over = message.state != "RUNNING"
            if self._searches and self._searches.heard(key, message.points, is_over=is_over):
                self._let_go()
            match message.state:
                case "FINISHED" | "REUSED":
                    self._finish(key, attempt, message)
                    self._go_on(running.then)
                case "FAILED":
                    reason = message.error or "no reason given"
                    self._fail(key, attempt, Failure(message.cause or "bug", reason))
                case "KILLED":
                    self._fail(
                        key, attempt, Failure("stopped", "stopped, though nobody asked for it")
                    )
                case "PRUNED":
                    self._prune(key, attempt)
                    self._go_on(running.then)

    def died(self, key: str, attempt: str, failure: Failure) -> None:
        """Learn that an attempt's worker is gone; nothing happens if it had told how it ended."""
        with self._lock:
            running = self._attempts.find(key, attempt)
            if running is None:
                return
            if running.is_in_line:  # it was not its fault
                self._put_back(key, attempt)
            else:
                self._elsewhere.lose(key, attempt)
                self._fail(key, attempt, failure)

    def abandon(self) -> None:
        """Give up all that was released: it did not end."""
        with self._lock:
            for key, running in self._attempts.all().items():
                self._put_back(key, running.attempt)

    def watch_limits(self) -> None:
        """Halt the run if a limit is reached: nothing starts any more."""
        with self._lock:
            used = self.used
            share, words = nearest(self._policy.budget, used, self._policy.rates.currency)
            if share >= 1 and not self.halted:
                self.halted = f"the budget is used up: {words}; raise it, and run again"
            elif share >= NEAR and not self.is_near:
                self.is_near = words

    def stranded(self) -> str:
        """Say what stages have long been waiting for that no node has; empty where none are."""
        with self._lock:
            waiting = self._attempts.waiting()
            return self._stranded.look(waiting, self._capacity(), self._clock())

    @property
    def idle(self) -> bool:
        """Whether no worker is at a stage."""
        with self._lock:
            return self._attempts.are_idle

    @property
    def finished_all(self) -> bool:
        """Whether every stage is done."""
        with self._lock:
            return self._release.finished_all

    @property
    def used(self) -> Usage:
        """What the study has used until now."""
        with self._lock:
            return self._teller.used().beside(self.used_beside)

    def missing(self) -> dict[str, str]:
        """Return key -> why, for stages that are not done, in the plan's order."""
        with self._lock:
            return self._release.missing()

    def snapshot(self) -> Snapshot:
        """Return how the run stands now."""
        with self._lock:
            return take_snapshot(
                self._plan,
                self._release,
                self._attempts,
                self._durations,
                self._began,
                self._clock(),
                self._ended,
            )

    def _next(self) -> list[Resources]:
        """What the next stage takes that has no worker; of none where all have one."""
        for one in self._attempts.all().values():
            if one.since is None and not one.is_in_line:
                return [one.resources]
        return [self._wanted(key) for key in self._release.ready(1)]

    def _is_beyond(self, capacity: Capacity, held: Sequence[Resources]) -> bool:
        """Whether so much is more than the run may take now; one stage it always may."""
        if self.limit is None or len(held) <= 1:
            return False
        return capacity.part(held) > self.limit + 1e-6

    def _wanted(self, key: str) -> Resources:
        return self._larger.get(key) or self._resources[self._plan.stages[key].kind]

    def _after(self, first: str, wanted: Resources, num_held: int) -> list[str]:
        """The stages that the first one's worker is to go on with."""

        def fits(key: str) -> bool:
            return self._wanted(key) == wanted and not self._elsewhere.knows(key)

        def longest(key: str) -> float:
            return self._durations.longest(self._plan.stages[key].kind)

        return line_after(first, self._release.ready, longest, fits, num_held + 1)

    def _assign(self, key: str, wanted: Resources) -> Assignment:
        self._release.started(key)
        return Assignment(
            key,
            new_attempt_id(),
            wanted,
            self._elsewhere.stale(key, self._clock()),
            None if key in self._given else behind(self._plan, key),
            None if self._searches is None else self._searches.sign(key),
        )

    def _go_on(self, then: Name | None) -> None:
        """A worker is at the next of the stages that it was given."""
        if then is not None:
            self.began(then.key, then.attempt)

    def _finish(self, key: str, attempt: str, message: Message) -> None:
        self._attempts.pop(key)
        self._elsewhere.forget(key)
        self._ended += 1
        self._release.finished(key)
        self._durations.took(self._plan.stages[key].kind, message.seconds)
        self._teller.tell_done(key, attempt, message)
        if self._searches is not None:
            self._searches.done(key, message.metrics)
            self._grow()

    def _grow(self) -> None:
        """Take into the plan what searches decide now."""
        if self._searches is None:
            return
        try:
            while self._searches.decide():
                before, self._plan = self._plan, self._searches.plan
                if self._measured is not None:
                    self._larger.update(self._measured.of(self._plan, before.stages))
                cancelled = self._release.grow(self._plan)
                self._listener.record(grown(before, self._plan, self._clock()))
                self._lose(self._searches, cancelled)
                self._sort_out(self._searches)
        except UserError as error:
            self.halted = self.halted or str(error)

    def _let_go(self) -> None:
        """Take into account what searches have decided to stop."""
        if self._searches is None or not (stopped := self._searches.take_stopped()):
            return
        self._teller.tell_pruned(stopped)
        self._sort_out(self._searches)
        self._grow()

    def _sort_out(self, searches: Growth) -> None:
        self._lose(searches, sort_out(self._release, searches))

    def _lose(self, searches: Growth, cancelled: Sequence[str]) -> None:
        """Tell of stages that can never start."""
        self._teller.tell_cancelled(cancelled, self._release.missing())
        searches.lost(cancelled)

    def _prune(self, key: str, attempt: str) -> None:
        """An attempt was stopped for good, unless the stage is needed by something else by now."""
        searches = self._searches
        if searches is None or not searches.is_stopped(key) or key not in searches.over():
            self._put_back(key, attempt)
            return
        self._attempts.pop(key)
        self._elsewhere.forget(key)
        self._ended += 1
        self._release.prune(key)
        self._teller.tell("stage_ended", key, attempt=attempt, state="PRUNED", error=None)
        self._sort_out(searches)
        self._grow()

    def _fail(self, key: str, attempt: str, failure: Failure) -> None:
        if self.stopping or (self.halted and failure.cause == "stopped"):
            self._put_back(key, attempt)
            return
        if self._searches is not None and self._searches.is_stopped(key):
            self._prune(key, attempt)
            return
        if failure.cause == "disk":  # other stages would meet it too
            self.halted = self.halted or (
                f"the disk is full: {failure.reason}; make room where the store is, or that "
                "$ROTNET_CACHE names, and run again"
            )
            self._put_back(key, attempt, failure.reason, failure.cause)
            return
        running = self._attempts.at(key)
        again = self._retries.next_request(key, failure, running.resources, running.step)
        if again is not None:
            if again != running.resources:
                self._larger[key] = again
            self._put_back(key, attempt, failure.reason, failure.cause)
            return
        failure = self._retries.given_up(failure)
        self._attempts.pop(key)
        self._elsewhere.forget(key)
        self._ended += 1
        self.failures[key] = failure
        cancelled = self._release.failed(key, failure.reason)
        self._teller.tell_failed(key, attempt, failure)
        self._teller.tell_cancelled(cancelled, self._release.missing())
        number = self._alike.count(key, failure)
        if self._policy.same_errors and number >= self._policy.same_errors and not self.halted:
            self.halted = f"the same error ended {number} stages: {failure.reason}"
        if self._searches is not None:
            self._searches.lost((key, *cancelled))
            self._grow()

    def _put_back(
        self, key: str, attempt: str, error: str | None = None, cause: str | None = None
    ) -> None:
        running = self._attempts.pop(key)
        self._release.requeue(key)
        if running.since is not None:
            self._teller.tell(
                "stage_ended", key, attempt=attempt, state="KILLED", error=error, cause=cause
            )
