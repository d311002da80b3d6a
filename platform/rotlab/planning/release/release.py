"""Which stages may start now: a state machine over a plan. No clock, no files, no Ray."""

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import islice
from typing import Literal

from rotlab.planning.plan.plan import Plan

_LOST = {"failed": "failed", "cancelled": "was cancelled"}
_Rank = tuple[float, int, int, str]  # sorts most urgent first; the key comes last
State = Literal["waiting", "ready", "running", "done", "failed", "cancelled", "pruned"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many stages are in which state; `waiting` includes those that are ready."""

    done: int = 0
    running: int = 0
    waiting: int = 0
    failed: int = 0
    cancelled: int = 0
    pruned: int = 0


class Release:
    """Events in; ready stages, cancelled stages and "nothing more can become ready" out.

    A stage is ready once all stages it takes input from are done, and the shorter one that it goes
    on from, if any, is done or given up; in that case it is trained from its beginning. Ready
    stages come in the order of their longest chain of stages still to do, in seconds or in stages,
    then of the number of cells that wait for them, then of the plan.

    Args:
        plan: whose stages are released.
        done: keys of stages that need not run; keys that are not in the plan are passed over.
        seconds: key -> how long the stage is expected to take; one that is not there counts as long
            as the mean of those that are. None counts stages.
    """

    def __init__(
        self,
        plan: Plan,
        done: Iterable[str] = (),
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        self._plan = plan
        self._seconds = seconds or {}
        known = plan.stages.keys()
        self._state: dict[str, State] = dict.fromkeys(known, "waiting")
        self._state.update(dict.fromkeys(known & set(done), "done"))
        self._why: dict[str, str] = {}
        self._unmet = {
            key: {other for other in awaited_by(plan, key) if self._state[other] != "done"}
            for key in known
        }
        self._priority = _priorities(plan, self._state, self._seconds)
        self._ready: dict[str, list[_Rank]] = {}  # by kind
        for key in known:
            self._make_ready_if_free(key)

    def grow(self, plan: Plan) -> tuple[str, ...]:
        """Take a plan that holds more stages; return those of them that can never start.

        Args:
            plan: with all stages of the one before.

        Raises:
            ValueError: a stage of the one before is not in it.
        """
        gone = self._state.keys() - plan.stages.keys()
        if gone:
            raise ValueError(f"stage {min(gone)} is not in the plan that has grown")
        self._plan = plan
        new = [key for key in plan.stages if key not in self._state]
        self._state |= dict.fromkeys(new, "waiting")
        for key in plan.stages:
            if self._state[key] == "waiting":
                awaited = awaited_by(plan, key)
                self._unmet[key] = {one for one in awaited if not self._is_over(key, one)}
        cancelled = []
        for key in new:
            why = self._lost_input(key)
            if why is not None:
                self._state[key], self._why[key] = "cancelled", why
                cancelled.append(key)
        self._priority = _priorities(plan, self._state, self._seconds)
        self._ready = {}
        for key, state in self._state.items():
            if state == "ready":
                self._ready.setdefault(plan.stages[key].kind, []).append(self._priority[key])
        for ranks in self._ready.values():
            ranks.sort()
        for key in plan.stages:
            self._make_ready_if_free(key)
        return tuple(cancelled)

    def ready(self, limit: int | None = None) -> list[str]:
        """Return the keys of up to `limit` stages that may start, most urgent first; None: all."""
        return [key for *_, key in islice(heapq.merge(*self._ready.values()), limit)]

    def heads(self, counts: Callable[[str], bool] | None = None) -> list[str]:
        """Return the most urgent ready stage of each kind, most urgent first.

        Args:
            counts: whether a stage may be named; None names any.
        """
        found = (
            next((rank for rank in ranks if counts is None or counts(rank[-1])), None)
            for ranks in self._ready.values()
        )
        return [key for *_, key in sorted(rank for rank in found if rank is not None)]

    def chain(self, key: str) -> float:
        """Return the longest chain of stages to do from this one on, in seconds or in stages."""
        return -self._priority[key][0]

    def started(self, key: str) -> None:
        """Take note that a ready stage runs now.

        Raises:
            ValueError: the stage is not ready.
        """
        self._expect(key, "ready")
        self._leave_ready(key)
        self._state[key] = "running"

    def finished(self, key: str) -> None:
        """Take note that a stage's result exists, whoever made it.

        Raises:
            ValueError: the stage has failed, was cancelled or had finished.
        """
        self._expect(key, "running", "ready", "waiting")
        if self._state[key] == "ready":
            self._leave_ready(key)
        self._state[key] = "done"
        self._free(key, (*self._plan.children(key), *self._plan.followers(key)))

    def failed(self, key: str, why: str) -> tuple[str, ...]:
        """Take note that a stage has failed for good; return the keys of those cancelled with it.

        Raises:
            ValueError: the stage is neither running nor ready.
        """
        self._expect(key, "running", "ready")
        if self._state[key] == "ready":
            self._leave_ready(key)
        self._state[key] = "failed"
        self._why[key] = why
        why = f"needs {self._plan.stages[key].kind} {key}, which failed"
        cancelled = tuple(self._cancel_children(key, why))
        for lost in (key, *cancelled):
            self._free(lost, self._plan.followers(lost))
        return cancelled

    def prune(self, key: str) -> None:
        """Take note that nobody waits for a stage any more, whether it had begun or not.

        Raises:
            ValueError: the stage has ended.
        """
        self._expect(key, "running", "ready", "waiting")
        if self._state[key] == "ready":
            self._leave_ready(key)
        self._state[key] = "pruned"
        self._free(key, self._plan.followers(key))

    def reopen(self, key: str) -> bool:
        """Take note that somebody waits for a stage again; say whether it can start at all.

        Raises:
            ValueError: the stage was not pruned.
        """
        self._expect(key, "pruned")
        why = self._lost_input(key)
        if why is not None:
            self._state[key], self._why[key] = "cancelled", why
            return False
        self._state[key] = "waiting"
        awaited = awaited_by(self._plan, key)
        self._unmet[key] = {one for one in awaited if not self._is_over(key, one)}
        self._make_ready_if_free(key)
        return True

    def requeue(self, key: str) -> None:
        """Put a running stage back among the ready ones.

        Raises:
            ValueError: the stage is not running.
        """
        self._expect(key, "running")
        self._state[key] = "waiting"
        self._make_ready_if_free(key)

    def state(self, key: str) -> State:
        """Return the state a stage is in."""
        return self._state[key]

    def pruned(self) -> tuple[str, ...]:
        """Return the keys of the stages that nobody waits for any more, in the plan's order."""
        return tuple(key for key, state in self._state.items() if state == "pruned")

    def running(self) -> tuple[str, ...]:
        """Return the keys of the stages that run, in the plan's order."""
        return tuple(key for key, state in self._state.items() if state == "running")

    @property
    def finished_all(self) -> bool:
        """Whether every stage is done."""
        return all(state == "done" for state in self._state.values())

    @property
    def exhausted(self) -> bool:
        """Whether nothing is ready or running, so that nothing can become ready any more."""
        return not any(self._ready.values()) and "running" not in self._state.values()

    def missing(self) -> dict[str, str]:
        """Return key -> why, for every stage that is not done, in the plan's order."""
        plain: dict[State, str] = {
            "waiting": "was not started",
            "ready": "was not started",
            "running": "did not end",
            "pruned": "was stopped before its end",
        }
        return {
            key: self._why.get(key) or plain[state]
            for key, state in self._state.items()
            if state != "done"
        }

    def counts(self, kind: str | None = None) -> Counts:
        """Return how many stages of a kind, or of all kinds, are in which state."""
        found = dict.fromkeys(("done", "running", "waiting", "failed", "cancelled", "pruned"), 0)
        for key, state in self._state.items():
            if kind is None or self._plan.stages[key].kind == kind:
                found["waiting" if state == "ready" else state] += 1
        return Counts(**found)

    def _lost_input(self, key: str) -> str | None:
        """Why a stage can never start, for one that it takes input from; None where it can."""
        for parent in self._plan.stages[key].inputs.values():
            state = self._state[parent]
            if state in _LOST:
                return f"needs {self._plan.stages[parent].kind} {parent}, which {_LOST[state]}"
        return None

    def _is_over(self, key: str, awaited: str) -> bool:
        """Whether a stage need not wait for another any more: a parent is done, a trunk ended."""
        state = self._state[awaited]
        is_parent = awaited in self._plan.stages[key].inputs.values()
        return state == "done" or (not is_parent and state in ("failed", "cancelled", "pruned"))

    def _expect(self, key: str, *allowed: State) -> None:
        state = self._state.get(key)
        if state is None:
            raise ValueError(f"stage {key} is not in the plan {self._plan.name!r}")
        if state not in allowed:
            raise ValueError(f"stage {key} is {state}, expected {' or '.join(allowed)}")

    def _free(self, key: str, others: Iterable[str]) -> None:
        for other in others:
            self._unmet[other].discard(key)
            self._make_ready_if_free(other)

    def _make_ready_if_free(self, key: str) -> None:
        if self._state[key] == "waiting" and not self._unmet[key]:
            self._state[key] = "ready"
            insort(self._ready.setdefault(self._plan.stages[key].kind, []), self._priority[key])

    def _leave_ready(self, key: str) -> None:
        ranks = self._ready[self._plan.stages[key].kind]
        del ranks[bisect_left(ranks, self._priority[key])]

    def _cancel_children(self, key: str, why: str) -> list[str]:
        doomed = {key}
        cancelled = []
        for (
            other,
            stage,
        ) in self._plan.stages.items():  # parents come first: one pass finds them all
            if self._state[other] == "waiting" and not doomed.isdisjoint(stage.inputs.values()):
                self._state[other] = "cancelled"
                self._why[other] = why
                cancelled.append(other)
                doomed.add(other)
        return cancelled


def awaited_by(plan: Plan, key: str) -> tuple[str, ...]:
    """Return what must be done before a stage starts; the shorter training, done or given up."""
    trunk = (plan.continues[key],) if key in plan.continues else ()
    return (*plan.stages[key].inputs.values(), *trunk)


def _priorities(
    plan: Plan, state: Mapping[str, State], seconds: Mapping[str, float]
) -> dict[str, _Rank]:
    """Rank stages: longest chain to do first, then most cells waiting, then the plan's order."""
    usual = sum(seconds.values()) / len(seconds) if seconds else 1
    chain: dict[str, float] = {}
    order = TopologicalSorter({key: awaited_by(plan, key) for key in plan.stages}).static_order()
    for key in reversed(tuple(order)):
        later = (*plan.children(key), *plan.followers(key))
        to_do = (chain[one] for one in later if state[one] != "done")
        chain[key] = seconds.get(key, usual) + max(to_do, default=0)
    cells = dict.fromkeys(plan.stages, 0)
    for cell in plan.cells:
        if state[cell.result] != "done":
            for key in cell.stages:
                cells[key] += 1
    return {key: (-chain[key], -cells[key], index, key) for index, key in enumerate(plan.stages)}
