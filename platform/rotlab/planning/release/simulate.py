"""A run in virtual time: the release order of a real one, on a cluster that is only described."""

import heapq
import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from itertools import count
from typing import Literal

from rotlab.planning.plan.plan import Plan
from rotlab.planning.release.nodes import Free, Nodes
from rotlab.planning.release.outcome import Outcome
from rotlab.planning.release.passing import PATIENCE_S, Claim, may_start
from rotlab.planning.release.release import Release, awaited_by
from rotlab.planning.release.scenario import Scenario, duration
from rotlab.planning.stage import Resources
from rotnet.errors import UserError

_HOPELESS = 7.0  # mean times between failures: fewer than one attempt in a thousand lasts so long


def simulate(
    plan: Plan,
    resources: Mapping[str, Resources],
    seconds: Mapping[str, float],
    scenario: Scenario,
    done: Iterable[str] = (),
) -> Outcome:
    """Run a plan in virtual time.

    Nodes are held from the beginning to the end; one that is lost is asked for again at once. A
    stage that was on it goes on from its last checkpoint, however often that happens.

    Args:
        plan: what is run.
        resources: kind -> what its stages occupy, GPUs as a number.
        seconds: key -> how long the stage takes undisturbed, for all that are not done.
        scenario: the cluster.
        done: keys of stages that need not run.

    Raises:
        UserError: a stage's time is not known, it fits on no node, or it would hardly ever end.
    """
    run = _Run(plan, resources, seconds, scenario, frozenset(done))
    run.check()
    run.go()
    return run.outcome()


@dataclass(slots=True)
class _Placed:
    """A stage on the nodes of its processes, at work from `works_from` on."""

    nodes: tuple[int, ...]
    since: float
    works_from: float
    attempt: int


@dataclass(slots=True)
class _Tally:
    """Sums in seconds."""

    gpu: float = 0.0
    cpu: float = 0.0
    held_gpu: float = 0.0
    held_cpu: float = 0.0
    lost: float = 0.0
    failures: int = 0
    up_since: dict[int, float] = field(default_factory=dict)


class _Run:
    """Events by time; everything else follows from the release."""

    def __init__(
        self,
        plan: Plan,
        resources: Mapping[str, Resources],
        seconds: Mapping[str, float],
        scenario: Scenario,
        done: frozenset[str],
    ) -> None:
        self._plan, self._resources, self._scenario = plan, resources, scenario
        self._to_do = [key for key in plan.stages if key not in done]
        self._seconds = {key: seconds[key] for key in self._to_do if key in seconds}
        self._release = Release(plan, done, self._seconds)
        self._sizes = _node_sizes(scenario)
        self._nodes = Nodes(self._sizes)
        self._chance = random.Random(scenario.seed)  # noqa: S311  (failures, not secrets)
        self._events: list[tuple[float, int, Literal["up", "down", "end"], int | str, int]] = []
        self._order = count()
        self._waiting: dict[Resources, deque[str]] = {}
        self._released: dict[str, float] = {}
        self._placed: dict[str, _Placed] = {}
        self._on: dict[int, dict[str, None]] = {}
        self._idle: dict[int, dict[Resources, int]] = {}  # processes that would take a stage
        self._kept: dict[str, float] = {}
        self._attempts: dict[str, int] = {}
        self._left = len(self._to_do)
        self._now = 0.0
        self._tally = _Tally()

    def check(self) -> None:
        """Raise UserError where the run could never end, or nobody knows when."""
        unknown = [key for key in self._to_do if key not in self._seconds]
        if unknown:
            kinds = ", ".join(sorted({self._plan.stages[key].kind for key in unknown}))
            raise UserError(
                f"cannot simulate: how long {len(unknown)} stages take is not known ({kinds}); "
                "`rotlab plan FILE` says why"
            )
        for kind in dict.fromkeys(self._plan.stages[key].kind for key in self._to_do):
            wanted = self._resources[kind]
            if not self._nodes.can_ever_hold(wanted):
                gpus, cpus = self._sizes[0]
                raise UserError(
                    f"cannot simulate: a {kind} takes {wanted.gpus or 0:g} GPUs and "
                    f"{wanted.cpus} cores{_in_processes(wanted)}, a node has {gpus:g} and {cpus:g}"
                )
        self._refuse_hopeless()

    def _refuse_hopeless(self) -> None:
        mtbf, between = self._scenario.spot_mtbf_s, self._scenario.checkpoint_s
        if mtbf is None or not self._seconds:
            return
        longest = max(self._seconds, key=lambda key: self._seconds[key])
        stretch = min(self._seconds[longest], between)
        if stretch > _HOPELESS * mtbf:
            raise UserError(
                f"cannot simulate: a {self._plan.stages[longest].kind} works for "
                f"{duration(stretch)} without a checkpoint, and a node is lost every "
                f"{duration(mtbf)}: it would hardly ever end; give a shorter checkpoint"
            )

    def go(self) -> None:
        """Run to the end."""
        for node in range(len(self._sizes)):
            self._at(self._scenario.startup_s, "up", node)
        while self._left:
            self._now = self._events[0][0]
            while self._events and self._events[0][0] == self._now:
                _, _, what, which, attempt = heapq.heappop(self._events)
                if isinstance(which, str):
                    self._end(which, attempt)
                elif what == "up":
                    self._up(which)
                else:
                    self._down(which)
            self._fill()
        for node in tuple(self._tally.up_since):
            self._release_node(node)

    def outcome(self) -> Outcome:
        """Return what came of it."""
        tally, scenario = self._tally, self._scenario
        work_gpu = sum(
            self._seconds[key] * (self._occupied(key).gpus or 0.0) for key in self._to_do
        )
        work_cpu = sum(self._seconds[key] * self._occupied(key).cpus for key in self._to_do)
        return Outcome(
            stages=len(self._to_do),
            makespan_s=self._now,
            gpu_hours=tally.gpu / 3600,
            cpu_hours=tally.cpu / 3600,
            held_gpu_hours=tally.held_gpu / 3600,
            held_cpu_hours=tally.held_cpu / 3600,
            failures=tally.failures,
            lost_s=tally.lost,
            critical_path_s=self._critical_path(),
            work_bound_s=max(
                work_gpu / scenario.gpus if scenario.gpus else 0.0,
                work_cpu / scenario.cpus,
            ),
            startup_s=scenario.startup_s if self._to_do else 0.0,
        )

    def _critical_path(self) -> float:
        chain: dict[str, float] = {}
        for key in TopologicalSorter(
            {key: awaited_by(self._plan, key) for key in self._to_do}
        ).static_order():
            if key in self._seconds:
                before = (chain.get(one, 0.0) for one in awaited_by(self._plan, key))
                chain[key] = self._seconds[key] + max(before, default=0.0)
        return max(chain.values(), default=0.0)

    def _fill(self) -> None:
        """Start what fits, and release more, as far as a run would."""
        for queue in self._waiting.values():
            self._start_from(queue)
        while (key := self._next()) is not None:
            wanted = self._occupied(key)
            self._release.started(key)
            self._released[key] = self._now
            queue = self._waiting.setdefault(wanted, deque())
            queue.append(key)
            self._start_from(queue)

    def _next(self) -> str | None:
        """The most urgent ready stage that a run would release now."""
        passed: list[Claim] = []
        if len(self._sizes) == 1:
            waiting = (key for queue in self._waiting.values() for key in queue)
            passed = [
                self._claim(key) for key in waiting if self._released[key] <= self._now - PATIENCE_S
            ]
        running = [self._occupied(key) for key in self._placed] if passed else []
        for key in self._release.heads():
            wanted = self._occupied(key)
            queue = self._waiting.get(wanted, ())
            if len(queue) >= self._scenario.margin and (queue or not self._nodes.fits(wanted)):
                continue
            if may_start(
                self._claim(key), passed, running, self._scenario.cpus, self._scenario.gpus
            ):
                return key
        return None

    def _claim(self, key: str) -> Claim:
        return Claim(self._occupied(key), self._release.chain(key))

    def _start_from(self, queue: deque[str]) -> None:
        """Start stages in the order of their release, until one does not fit; all take as much."""
        while queue:
            key = queue[0]
            nodes = self._nodes.place(self._occupied(key))
            if nodes is None:
                return
            queue.popleft()
            attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
            works_from = self._now + self._before_work(nodes[0], self._occupied(key))
            self._placed[key] = _Placed(nodes, self._now, works_from, attempt)
            for node in nodes:
                self._on[node][key] = None
            left = self._seconds[key] - self._kept.get(key, 0.0)
            self._at(works_from + left, "end", key, attempt)

    def _before_work(self, node: int, wanted: Resources) -> float:
        """Return how long a stage is on a node before it is at work, and take a process there.

        Where several compute a stage, all but the first are started for it anew.
        """
        idle = self._idle[node]
        if idle.get(wanted):
            idle[wanted] -= 1
            if wanted.processes == 1:
                return self._scenario.overhead_s
        return self._scenario.worker_s + self._scenario.overhead_s

    def _end(self, key: str, attempt: int) -> None:
        placed = self._placed.get(key)
        if placed is None or placed.attempt != attempt:
            return  # its node was lost before
        self._stop(key)
        idle, wanted = self._idle[placed.nodes[0]], self._occupied(key)
        idle[wanted] = idle.get(wanted, 0) + 1
        self._nodes.leave(placed.nodes, wanted)
        self._release.finished(key)
        self._left -= 1
        self._start_from(self._waiting.setdefault(wanted, deque()))  # its process goes on

    def _up(self, node: int) -> None:
        self._nodes.come(node)
        self._on[node], self._idle[node] = {}, {}
        self._tally.up_since[node] = self._now
        if self._scenario.spot_mtbf_s is not None:
            lasts = self._chance.expovariate(1 / self._scenario.spot_mtbf_s)
            self._at(self._now + lasts, "down", node)

    def _down(self, node: int) -> None:
        lost = tuple(self._on[node])
        self._tally.failures += bool(lost)
        for key in lost:
            self._nodes.leave(self._placed[key].nodes, self._occupied(key))
            worked = self._stop(key)
            between = self._scenario.checkpoint_s
            kept = worked // between * between if between else worked
            self._kept[key] = self._kept.get(key, 0.0) + kept
            self._tally.lost += worked - kept
            self._release.requeue(key)
        self._nodes.go(node)
        self._release_node(node)
        self._at(self._now + self._scenario.startup_s, "up", node)

    def _stop(self, key: str) -> float:
        """Take a stage off its nodes; return how long it was at work there."""
        placed = self._placed.pop(key)
        for node in placed.nodes:
            self._on[node].pop(key, None)
        elapsed, occupied = self._now - placed.since, self._occupied(key)
        self._tally.gpu += elapsed * (occupied.gpus or 0.0)
        self._tally.cpu += elapsed * occupied.cpus
        return max(0.0, self._now - placed.works_from)

    def _release_node(self, node: int) -> None:
        held = self._now - self._tally.up_since.pop(node)
        gpus, cpus = self._sizes[node]
        self._tally.held_gpu += held * gpus
        self._tally.held_cpu += held * cpus

    def _occupied(self, key: str) -> Resources:
        return self._resources[self._plan.stages[key].kind]

    def _at(
        self, time: float, what: Literal["up", "down", "end"], which: int | str, attempt: int = 0
    ) -> None:
        heapq.heappush(self._events, (time, next(self._order), what, which, attempt))


def _in_processes(wanted: Resources) -> str:
    return f" in {wanted.processes} processes" if wanted.processes > 1 else ""


def _node_sizes(scenario: Scenario) -> list[Free]:
    """GPUs and cores of each node; cores are shared evenly."""
    cores = scenario.cpus / scenario.num_nodes
    per_node = scenario.gpus_per_node
    return [
        (float(min(per_node, max(scenario.gpus - node * per_node, 0))), cores)
        for node in range(scenario.num_nodes)
    ]
