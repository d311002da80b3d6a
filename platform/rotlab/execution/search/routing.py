"""Ray Tune's schedulers on stages: each is fed only with what is like, by its route.

A trial of Tune is a worker here, which takes stage after stage; so what these schedulers take for
trials are stages, told to them one epoch after the other. They decide, and others act.
"""

import contextlib
import hashlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ray.tune.schedulers import (
    AsyncHyperBandScheduler,
    FIFOScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

from rotlab.planning.space.pruners import Pruner

EPOCH, VALUE = "epoch", "value"


@dataclass(frozen=True, slots=True)
class Entrant:
    """A stage, as a scheduler sees it.

    Args:
        trial_id: its key.
        route: what it may be compared within.
    """

    trial_id: str
    route: Hashable


class RoutingScheduler(FIFOScheduler):
    """Gives every route a scheduler of its own, and passes all that is told of a trial to that.

    Args:
        make: makes the scheduler of a route.
        route: tells the route of a trial.
    """

    def __init__(
        self,
        make: Callable[[Any], TrialScheduler],
        route: Callable[[Any], Hashable] = lambda trial: trial.route,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._make, self._route = make, route
        self._by_route: dict[Hashable, TrialScheduler] = {}

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:  # noqa: ANN401  (Tune's own)
        """Pass it on; what is drawn by chance for a trial hangs on its identity alone."""
        with _drawn_by(trial.trial_id):
            self._of(trial).on_trial_add(tune_controller, trial)

    def on_trial_result(
        self,
        tune_controller: Any,  # noqa: ANN401
        trial: Any,  # noqa: ANN401
        result: dict[str, Any],
    ) -> str:
        """Return what the route's scheduler decides."""
        return self._of(trial).on_trial_result(tune_controller, trial, result)

    def on_trial_complete(
        self,
        tune_controller: Any,  # noqa: ANN401
        trial: Any,  # noqa: ANN401
        result: dict[str, Any],
    ) -> None:
        """Pass on that a trial has got to its end."""
        self._of(trial).on_trial_complete(tune_controller, trial, result)

    def _of(self, trial: Any) -> TrialScheduler:  # noqa: ANN401
        route = self._route(trial)
        if route not in self._by_route:
            self._by_route[route] = self._make(route)
        return self._by_route[route]


class Rule:
    """Says which stages fall behind, as they tell one epoch after the other.

    Args:
        pruner: the rule.
        epochs: key of a search, with which each of its routes begins -> length of its longest try.
        maximize: whether more is better.
    """

    def __init__(self, pruner: Pruner, epochs: Mapping[str, int], *, maximize: bool) -> None:
        def make(route: tuple[str, ...]) -> TrialScheduler:
            return scheduler_of(pruner, epochs[route[0]], maximize=maximize)

        self._scheduler = RoutingScheduler(make)
        self._entrants: dict[str, Entrant] = {}

    def falls_behind(
        self, key: str, route: Hashable, epoch: int, value: float, *, is_last: bool
    ) -> bool:
        """Take what a stage tells after an epoch; say whether it is to be stopped.

        Args:
            key: of the stage.
            route: what it is compared within.
            epoch: counted from 1.
            value: of the metric.
            is_last: there is no further epoch, and nothing to be stopped.
        """
        entrant = self._entrants.get(key)
        if entrant is None:
            entrant = self._entrants[key] = Entrant(key, route)
            self._scheduler.on_trial_add(None, entrant)
        result = {EPOCH: epoch, VALUE: value}
        if is_last:
            self._scheduler.on_trial_complete(None, entrant, result)
            return False
        return self._scheduler.on_trial_result(_NOBODY_WAITS, entrant, result) == "STOP"


class _NobodyWaits:
    """As much of Tune's controller as the median rule asks: it pauses for trials that wait."""

    def get_live_trials(self) -> tuple[()]:
        """Return none: a stage is stopped or goes on, and is never paused."""
        return ()


_NOBODY_WAITS = _NobodyWaits()


def scheduler_of(pruner: Pruner, epochs: int, *, maximize: bool) -> TrialScheduler:
    """Return Ray Tune's scheduler of a pruner, for stages of at most so many epochs.

    Hyperband is the asynchronous one: ASHA's halving in several brackets, of which each next begins
    to halve later. Tune's synchronous HyperBandScheduler pauses what is ahead until its whole
    bracket has come as far; here the next proposal is only made once others have ended.
    """
    grace, mode = pruner.grace(epochs), "max" if maximize else "min"
    if pruner.name == "median":
        return MedianStoppingRule(
            time_attr=EPOCH,
            metric=VALUE,
            mode=mode,
            grace_period=grace,
            min_samples_required=int(pruner.option("min_samples_required")),
        )
    return AsyncHyperBandScheduler(
        time_attr=EPOCH,
        metric=VALUE,
        mode=mode,
        max_t=max(epochs, grace),
        grace_period=grace,
        reduction_factor=pruner.option("reduction_factor"),
        brackets=int(pruner.option("brackets")) if pruner.name == "hyperband" else 1,
        stop_last_trials=False,
    )


@contextlib.contextmanager
def _drawn_by(name: str) -> Iterator[None]:
    """Seed numpy's own generator, from which Ray draws a trial's bracket, and put it back."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
