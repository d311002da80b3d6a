"""Ray Tune's schedulers behind routes: as bare ones within a route, and deaf to all others."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ray.tune.schedulers import AsyncHyperBandScheduler, MedianStoppingRule, TrialScheduler

from rotlab.execution.search.routing import EPOCH, VALUE, RoutingScheduler, Rule, scheduler_of
from rotlab.planning.space.pruners import Pruner

EPOCHS = 20
STOP, CONTINUE = TrialScheduler.STOP, TrialScheduler.CONTINUE


@dataclass(frozen=True)
class Trial:
    trial_id: str
    route: tuple[str, ...] = ("a",)


def bare(**options: Any) -> AsyncHyperBandScheduler:
    return AsyncHyperBandScheduler(
        time_attr=EPOCH, metric=VALUE, mode="max", max_t=EPOCHS, **options
    )


def told(scheduler: Any, curves: dict[Trial, list[float]], order: list[Trial]) -> list[str]:
    """What a scheduler says of curves whose epochs come in an order; none goes on once stopped."""
    at = dict.fromkeys(curves, 0)
    for trial in curves:
        scheduler.on_trial_add(None, trial)
    said = []
    for trial in order:
        if at[trial] >= len(curves[trial]):
            continue
        result = {EPOCH: at[trial] + 1, VALUE: curves[trial][at[trial]]}
        said.append(scheduler.on_trial_result(None, trial, result))
        at[trial] = at[trial] + 1 if said[-1] == CONTINUE else len(curves[trial])
    return said


@st.composite
def contests(draw: st.DrawFn) -> tuple[dict[str, list[float]], list[str]]:
    """Some curves, and the order in which their epochs come."""
    names = [f"t{number}" for number in range(draw(st.integers(2, 8)))]
    values = st.floats(-1, 1, allow_nan=False)
    curves = {name: draw(st.lists(values, min_size=EPOCHS, max_size=EPOCHS)) for name in names}
    order = draw(st.permutations([name for name in names for _ in range(EPOCHS)]))
    return curves, list(order)


@settings(max_examples=30, deadline=None)
@given(contests(), st.sampled_from([1, 3, 5]), st.sampled_from([2, 3, 4]))
def test_within_a_route_it_decides_as_a_bare_asha(
    contest: tuple[dict[str, list[float]], list[str]], grace: int, factor: int
) -> None:
    curves = {Trial(name): curve for name, curve in contest[0].items()}
    order = [Trial(name) for name in contest[1]]
    options = {"grace_period": grace, "reduction_factor": factor}
    routed = RoutingScheduler(lambda _: bare(**options))
    assert told(routed, curves, order) == told(bare(**options), curves, order)


@settings(max_examples=30, deadline=None)
@given(contests(), contests())
def test_what_happens_on_one_route_is_not_heard_of_on_another(
    one: tuple[dict[str, list[float]], list[str]], other: tuple[dict[str, list[float]], list[str]]
) -> None:
    options = {"grace_period": 2, "reduction_factor": 2}
    curves: dict[Trial, list[float]] = {}
    orders: list[list[Trial]] = []
    for route, (each, turns) in (("a", one), ("b", other)):
        curves |= {
            Trial(f"{route}{name}", (route,)): [v + 100 * (route == "b") for v in curve]
            for name, curve in each.items()
        }
        orders.append([Trial(f"{route}{name}", (route,)) for name in turns])
    mixed = [trial for pair in zip(*orders, strict=False) for trial in pair]
    mixed += max(orders, key=len)[min(map(len, orders)) :]
    routed = RoutingScheduler(lambda _: bare(**options))
    for trial in curves:
        routed.on_trial_add(None, trial)
    at = dict.fromkeys(curves, 0)
    said: dict[str, list[str]] = {"a": [], "b": []}
    for trial in mixed:
        if at[trial] < len(curves[trial]):
            result = {EPOCH: at[trial] + 1, VALUE: curves[trial][at[trial]]}
            said[trial.route[0]].append(routed.on_trial_result(None, trial, result))
            stopped = said[trial.route[0]][-1] == STOP
            at[trial] = len(curves[trial]) if stopped else at[trial] + 1
    for route, own_turns in zip("ab", orders, strict=True):
        own = {trial: curve for trial, curve in curves.items() if trial.route == (route,)}
        assert said[route] == told(bare(**options), own, own_turns)


def crossing(rng: np.random.Generator, number: int) -> list[list[float]]:
    """Learning curves of which the fast ones end lower, with the noise of a small test set."""
    speed = rng.uniform(0.08, 0.6, number)
    top = 0.85 - 0.35 * speed + rng.normal(0, 0.08, number)
    epoch = np.arange(1, EPOCHS + 1)
    curves = top[:, None] * (1 - np.exp(-speed[:, None] * epoch))
    return (curves + rng.normal(0, 0.02, curves.shape)).tolist()


def race(pruner: Pruner, curves: list[list[float]], at_once: int = 4) -> tuple[int, float]:
    """How many epochs a search takes, and where its winner is at the end."""
    rule = Rule(pruner, {"search": EPOCHS}, maximize=True)
    waiting, trained = list(range(len(curves))), 0
    running: list[int] = []
    whole: list[float] = []
    at = [0] * len(curves)
    while waiting or running:
        while waiting and len(running) < at_once:
            running.append(waiting.pop(0))
        for one in tuple(running):
            at[one] += 1
            trained += 1
            is_last = at[one] == EPOCHS
            value = curves[one][at[one] - 1]
            behind = rule.falls_behind(str(one), ("search",), at[one], value, is_last=is_last)
            if is_last:
                whole.append(value)
            if behind or is_last:
                running.remove(one)
    return trained, max(whole)


def test_of_curves_that_cross_it_finds_nearly_the_best_for_much_fewer_epochs() -> None:
    """Within what a replicate varies by, 0.08, of the full search's winner, at under 40 %."""
    shares, lost = [], []
    for seed in range(40):
        curves = crossing(np.random.default_rng(seed), 28)
        trained, best = race(Pruner("asha"), curves)
        shares.append(trained / (28 * EPOCHS))
        lost.append(max(curve[-1] for curve in curves) - best)
    assert np.mean(shares) < 0.4
    assert np.mean(np.array(lost) < 0.08) >= 0.9


@pytest.mark.parametrize("name", ["asha", "hyperband", "median"])
def test_some_always_get_to_their_end(name: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        curves = rng.normal(size=(12, EPOCHS)).tolist()
        _, best = race(Pruner(name), curves)
        assert math.isfinite(best)


@pytest.mark.parametrize("name", ["asha", "hyperband", "median"])
def test_none_is_stopped_before_the_grace_is_over_or_at_the_last_epoch(name: str) -> None:
    pruner = Pruner(name, {"grace_period": 4})
    rng = np.random.default_rng(1)
    rule = Rule(pruner, {"search": EPOCHS}, maximize=True)
    for number in range(10):
        for epoch in range(1, EPOCHS + 1):
            is_last = epoch == EPOCHS
            value = float(rng.normal()) - number
            behind = rule.falls_behind(str(number), ("search",), epoch, value, is_last=is_last)
            assert not (behind and (epoch < 4 or is_last))
            if behind:
                break


def test_where_less_is_better_what_is_more_is_stopped() -> None:
    rule = Rule(Pruner("asha", {"grace_period": 1}), {"search": EPOCHS}, maximize=False)
    said = [
        rule.falls_behind(str(value), ("search",), 1, value, is_last=False)
        for value in (1.0, 2.0, 0.5)
    ]
    assert said == [False, True, False]


def test_the_bracket_of_a_stage_hangs_on_its_key_and_leaves_numpys_generator_alone() -> None:
    drawn = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        before = np.random.get_state()  # noqa: NPY002
        routed = RoutingScheduler(
            lambda _: scheduler_of(Pruner("hyperband"), EPOCHS, maximize=True)
        )
        for number in range(20):
            routed.on_trial_add(None, Trial(f"t{number}"))
        (one,) = routed._by_route.values()
        assert isinstance(one, AsyncHyperBandScheduler)
        drawn.append([one._brackets.index(each) for each in one._trial_info.values()])
        assert str(np.random.get_state()) == str(before)  # noqa: NPY002
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 1


def test_the_median_rule_is_rays() -> None:
    made = scheduler_of(Pruner("median", {"min_samples_required": 2}), EPOCHS, maximize=True)
    assert isinstance(made, MedianStoppingRule)
    rule = Rule(
        Pruner("median", {"min_samples_required": 2, "grace_period": 1}),
        {"search": EPOCHS},
        maximize=True,
    )
    said = [
        rule.falls_behind(str(value), ("search",), 1, value, is_last=False)
        for value in (1.0, 2.0, 0.5)
    ]
    assert said == [False, False, True]
