"""A simulated run as people and programs read it. Nothing is printed."""

from dataclasses import asdict
from typing import Any

from rotlab.planning.cost.bill_outline import hours, money
from rotlab.planning.cost.devices import CPU
from rotlab.planning.cost.prices import Prices
from rotlab.planning.release.outcome import Outcome
from rotlab.planning.release.scenario import Scenario, duration


def outcome_lines(outcome: Outcome, scenario: Scenario, prices: Prices, device: str) -> list[str]:
    """Return the outcome as text.

    Args:
        outcome: of the simulation.
        scenario: the cluster.
        prices: of its hours.
        device: that it has.
    """
    lines = [f"simulated on {scenario}: {outcome.stages:,} missing stages"]
    if not outcome.stages:
        return lines
    bound = (
        f"at least {duration(outcome.lower_bound_s)}: critical path "
        f"{duration(outcome.critical_path_s)}, work shared evenly {duration(outcome.work_bound_s)}"
    )
    lines.append(f"  makespan     {duration(outcome.makespan_s)} ({bound})")
    lines.append(f"  utilisation  {outcome.utilisation:.1%}")
    held = f"  nodes held   {_held(outcome)}"
    spent = _money(outcome, prices, device)
    lines.append(held if spent is None else f"{held}: {money(spent, prices.currency)}")
    if scenario.spot_mtbf_s is not None:
        times = f"{outcome.failures:,} time{'' if outcome.failures == 1 else 's'}"
        lines.append(f"  lost work    {duration(outcome.lost_s)}, a node with stages on it {times}")
    return lines


def outcome_json(
    outcome: Outcome, scenario: Scenario, prices: Prices, device: str
) -> dict[str, Any]:
    """Return the same as plain values."""
    return {
        **asdict(outcome),
        "lower_bound_s": outcome.lower_bound_s,
        "utilisation": outcome.utilisation,
        "money": _money(outcome, prices, device),
        "currency": prices.currency,
        "cluster": asdict(scenario),
    }


def _held(outcome: Outcome) -> str:
    if outcome.held_gpu_hours:
        return f"{hours(outcome.held_gpu_hours)} GPU-hours, {hours(outcome.gpu_hours)} of them used"
    return f"{hours(outcome.held_cpu_hours)} CPU-hours, {hours(outcome.cpu_hours)} of them used"


def _money(outcome: Outcome, prices: Prices, device: str) -> float | None:
    """The price of the nodes; cores beside a GPU are in its price."""
    if device in prices.hourly and outcome.held_gpu_hours:
        return prices.hourly[device] * outcome.held_gpu_hours
    if CPU in prices.hourly and not outcome.held_gpu_hours:
        return prices.hourly[CPU] * outcome.held_cpu_hours
    return None
