"""How a plan grows while it runs: decisions on the results of its stages ask for more. No Ray."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence

from rotlab.execution.conduct.message import Point
from rotlab.planning.plan.decisions import Decisions, Pruned
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planner import Planner
from rotlab.planning.stage import Stage

Metrics = Mapping[str, float]


class Growth(ABC):
    """Decides by what is known of stages, and keeps the plan that the decisions make.

    Args:
        planner: of the study.
        decisions: those that were made before.
    """

    def __init__(self, planner: Planner, decisions: Decisions) -> None:
        self._planner = planner
        self._metrics: dict[str, Metrics] = {}
        self._lost: dict[str, None] = {}
        self.plan = planner.plan(decisions)

    def catch_up(self, records: Callable[[Iterable[Stage]], Mapping[str, Metrics]]) -> Plan:
        """Return the plan with all that can be decided from results that are there.

        Args:
            records: stages -> metrics of those that are done, by key.
        """
        self.decide()
        known: set[str] = set()
        while new := [stage for key, stage in self.plan.stages.items() if key not in known]:
            known.update(stage.key for stage in new)
            self._metrics |= records(new)
            self.decide()
        return self.plan

    def done(self, key: str, metrics: Metrics) -> None:
        """Learn that a stage has a result."""
        self._metrics[key] = metrics

    def lost(self, keys: Iterable[str]) -> None:
        """Learn that stages failed for good, or were cancelled."""
        self._lost |= dict.fromkeys(keys)

    def decide(self) -> bool:
        """Decide what can be decided, and say whether the plan has grown.

        Raises:
            UserError: a stage has ended without the metric that decides.
        """
        has_grown = False
        while self._decide_once():
            self.plan = self._planner.plan(self._decisions())
            has_grown = True
        return has_grown

    def over(self) -> frozenset[str]:
        """Return the stages of the plan that nobody waits for any more."""
        return frozenset()

    def heard(self, key: str, points: Sequence[Point], *, is_over: bool) -> bool:  # noqa: ARG002
        """Learn what a stage tells while it is at work; say whether that stops any.

        Args:
            key: of the stage.
            points: its metrics by step.
            is_over: it has ended, and is not to be stopped any more.
        """
        return False

    def take_stopped(self) -> tuple[Pruned, ...]:
        """Return the decisions to stop stages that were made since this was last asked."""
        return ()

    def sign(self, key: str) -> str | None:  # noqa: ARG002  (nothing is stopped here)
        """Return the file that asks a stage to stop as soon as it is there; None: nothing can."""
        return None

    def is_stopped(self, key: str) -> bool:  # noqa: ARG002
        """Say whether it was decided, here or by another driver, that a stage stops."""
        return False

    @property
    def num_pruned(self) -> int:
        """How many things that were tried were stopped before their end."""
        return 0

    @property
    def num_failed(self) -> int:
        """How many things that were tried failed, and were passed over."""
        return 0

    @abstractmethod
    def undecided(self) -> dict[str, str]:
        """Return key of what is decided on -> why it has no end."""

    @abstractmethod
    def _decide_once(self) -> bool:
        """Decide what the plan as it is allows; say whether there was anything."""

    @abstractmethod
    def _decisions(self) -> Decisions:
        """All decisions so far."""
