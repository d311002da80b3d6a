"""What a study has used, told from its events."""

from typing import Any

import pytest

from rotlab.execution.conduct.budget import Rates, Spending, Usage, nearest, rates_of, spent
from rotlab.planning.cost.devices import CPU
from rotlab.planning.cost.prices import Prices
from rotlab.planning.space.budget import Budget
from rotlab.planning.stage import Resources
from rotnet.errors import UserError


def started(hour: float, attempt: str, cpus: int = 1, gpus: float = 0.0) -> dict[str, Any]:
    return {
        "event": "stage_started",
        "time": hour * 3600,
        "key": f"stage of {attempt}",
        "attempt": attempt,
        "cpus": cpus,
        "gpus": gpus,
    }


def ended(hour: float, attempt: str | None, state: str = "FINISHED") -> dict[str, Any]:
    return {"event": "stage_ended", "time": hour * 3600, "attempt": attempt, "state": state}


def study(hour: float, event: str) -> dict[str, Any]:
    return {"event": f"study_{event}", "time": hour * 3600}


def test_attempts_are_added_up_whatever_became_of_them() -> None:
    events = [
        study(0, "started"),
        started(0, "a", cpus=2, gpus=0.5),
        started(1, "b", gpus=1),
        ended(2, "a", "FAILED"),
        ended(3, "b", "KILLED"),
        ended(3, "reused", "REUSED"),
        ended(3, None, "CANCELLED"),
        study(4, "ended"),
    ]
    assert spent([events]) == Usage(gpu_hours=3.0, cpu_hours=6.0, wall_hours=4.0)


def test_what_runs_counts_until_now() -> None:
    spending = Spending()
    for event in (study(0, "started"), started(1, "a", gpus=1)):
        spending.take(event)
    assert spending.used(3 * 3600) == Usage(2.0, 2.0, 3.0)


def test_an_attempt_whose_driver_was_killed_ends_with_the_last_that_was_heard() -> None:
    events = [
        study(0, "started"),
        started(0, "a"),
        {"event": "stage_metrics", "time": 3600.0},
        study(100, "started"),
        started(100, "a2"),
        ended(101, "a2"),
        study(101, "ended"),
    ]
    assert spent([events]) == Usage(0.0, 2.0, 2.0)


KILLED = [study(0, "started"), started(0, "a", gpus=8), {"event": "stage_metrics", "time": 3600.0}]


@pytest.mark.parametrize(
    "later",
    [
        [study(63, "ended")],
        [{"event": "results_removed", "time": 63 * 3600.0, "keys": []}],
        [{"event": "results_removed", "time": 63 * 3600.0, "keys": []}, study(64, "started")],
    ],
)
def test_what_is_told_when_no_run_is_there_ends_no_attempt_of_a_killed_one(
    later: list[dict[str, Any]],
) -> None:
    assert spent([[*KILLED, *later]]) == Usage(8.0, 1.0, 1.0)


def test_two_at_the_same_time_use_the_same_hours_of_wall() -> None:
    assert Usage(1, 2, 5, 4).beside(Usage(10, 20, 4, 40)) == Usage(11, 22, 5, 44)


def test_what_another_run_turned_out_to_have_costs_nothing_more() -> None:
    held = {"event": "stage_held", "time": 3600.0, "attempt": "a"}
    events = [study(0, "started"), started(0, "a"), held, study(5, "ended")]
    assert spent([events]).cpu_hours == 1.0


def test_the_journals_of_runs_side_by_side_are_added_up() -> None:
    one = [study(0, "started"), started(0, "a"), ended(2, "a"), study(2, "ended")]
    two = [study(1, "started"), started(1, "b"), ended(2, "b"), study(2, "ended")]
    assert spent([one, two]) == Usage(0.0, 3.0, 3.0)


def test_money_is_that_of_devices_where_there_are_any_else_of_cores() -> None:
    events = [started(0, "a", cpus=8, gpus=0.5), started(0, "b", cpus=2)]
    events += [ended(2, "a"), ended(1, "b")]
    rates = Rates(gpu_hour=3.0, cpu_hour=0.25, currency="EUR")
    assert spent([events], rates).money == 2 * 0.5 * 3.0 + 2 * 0.25


def test_the_limit_that_is_nearest_is_named() -> None:
    used = Usage(5, 30, 1, 99.5)
    assert nearest(Budget(), used) == (0.0, "")
    assert nearest(Budget(gpu_hours=10, cpu_hours=40), used) == (0.75, "30 of 40 CPU-hours")
    share, words = nearest(Budget(wall_hours=0.5, cpu_hours=40), used)
    assert share == pytest.approx(2.0)
    assert words == "1 of 0.5 hours"
    assert nearest(Budget(money=100), used, "EUR") == (0.995, "99.5 of 100 EUR")


GPU, CORE = Resources(1, 1.0), Resources(1, 0.0)
TWO = Prices("EUR", None, {"A100": 1.0, "H100": 2.0, CPU: 0.1})


def test_the_device_that_is_planned_for_has_its_price_or_the_only_one_that_is_priced() -> None:
    assert rates_of(TWO, "H100", [GPU, CORE], needed=True) == Rates(2.0, 0.1, "EUR")
    one = Prices("EUR", None, {"H100": 2.0})
    assert rates_of(one, CPU, [GPU], needed=True) == Rates(2.0, 0.0, "EUR")
    assert rates_of(Prices(), CPU, [GPU, CORE], needed=False) == Rates()


@pytest.mark.parametrize(
    ("prices", "device", "request_", "said"),
    [
        (TWO, CPU, GPU, "an hour of a GPU"),
        (Prices("EUR", None, {CPU: 0.1}), CPU, GPU, "an hour of a GPU"),
        (Prices("EUR", None, {"A100": 1.0}), "A100", CORE, "an hour of a core"),
    ],
)
def test_a_budget_in_money_needs_a_price_for_all_that_stages_take(
    prices: Prices, device: str, request_: Resources, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        rates_of(prices, device, [request_], needed=True)
