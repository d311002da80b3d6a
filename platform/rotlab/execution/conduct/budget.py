"""What a study has used, by its own attempts, and what it may use. Arithmetic over events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rotlab.planning.cost.devices import CPU
from rotlab.planning.cost.prices import Prices
from rotlab.planning.space.budget import Budget
from rotlab.planning.stage import Resources
from rotnet.errors import UserError

NEAR = 0.8  # of a limit: the moment to warn
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used.

    Args:
        gpu_hours: devices, or shares of them, times hours that attempts held them.
        cpu_hours: cores, likewise.
        wall_hours: hours in which the study was being run.
        money: what that cost, in the currency of the price file.
    """

    gpu_hours: float = 0.0
    cpu_hours: float = 0.0
    wall_hours: float = 0.0
    money: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.gpu_hours + other.gpu_hours,
            self.cpu_hours + other.cpu_hours,
            self.wall_hours + other.wall_hours,
            self.money + other.money,
        )

    def beside(self, other: "Usage") -> "Usage":
        """Return what two runs at the same time used: their hours of wall are the same hours."""
        wall_hours = max(self.wall_hours, other.wall_hours)
        return replace(self + other, wall_hours=wall_hours)


@dataclass(frozen=True, slots=True)
class Rates:
    """What an hour costs.

    Args:
        gpu_hour: of a device, with the cores beside it.
        cpu_hour: of a core, of stages without a device.
        currency: of both.
    """

    gpu_hour: float = 0.0
    cpu_hour: float = 0.0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class _Attempt:
    key: str
    since: float
    cpus: float
    gpus: float


class Spending:
    """Adds up a study's attempts, failed and lost ones too, from its events in their order.

    What the study reuses was paid by another. An attempt whose end nobody told, because its driver
    was killed, ended with the last event that a run told before the next start, or before an end
    that is told while attempts are open: it is that of a later run, which never began.

    Args:
        rates: what an hour costs.
        before: what was used besides.
    """

    def __init__(self, rates: Rates | None = None, before: Usage | None = None) -> None:
        self._rates = rates or Rates()
        self._used = before or Usage()
        self._by_stage: dict[str, Usage] = {}
        self._attempts: dict[str, set[str]] = {}
        self._running: dict[str, _Attempt] = {}
        self._since: float | None = None
        self._last = 0.0

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event."""
        match event["event"]:
            case "study_started":
                self._close(self._last)
                self._since = event["time"]
            case "study_ended":
                self._close(self._last if self._running else event["time"])
            case "stage_started":
                self._attempts.setdefault(event["key"], set()).add(event["attempt"])
                self._running[event["attempt"]] = _Attempt(
                    event["key"], event["time"], event.get("cpus", 1.0), event.get("gpus", 0.0)
                )
            case "stage_ended" | "stage_held" if event.get("attempt") in self._running:
                self._end(self._running.pop(event["attempt"]), event["time"])
        if event["event"] != "results_removed":  # told when no run was there
            self._last = max(self._last, event["time"])

    def used(self, now: float | None = None) -> Usage:
        """Return what was used until now, by what runs too; None: until the last event."""
        now = self._last if now is None else now
        return sum(
            (self._of(each, now) for each in self._running.values()), self._used + self._wall(now)
        )

    def used_by(self, key: str) -> Usage:
        """Return what attempts at a stage used, until the last event where one is under way."""
        under_way = (one for one in self._running.values() if one.key == key)
        ended = self._by_stage.get(key, Usage())
        return sum((self._of(one, self._last) for one in under_way), ended)

    def attempts_at(self, key: str) -> frozenset[str]:
        """Return the attempts at a stage."""
        return frozenset(self._attempts.get(key, ()))

    def _end(self, attempt: _Attempt, time: float) -> None:
        used = self._of(attempt, time)
        self._used += used
        self._by_stage[attempt.key] = self._by_stage.get(attempt.key, Usage()) + used

    def _of(self, attempt: _Attempt, until: float) -> Usage:
        hours = max(0.0, until - attempt.since) / _HOUR_S
        gpu_hours, cpu_hours = attempt.gpus * hours, attempt.cpus * hours
        if attempt.gpus:
            return Usage(gpu_hours, cpu_hours, money=gpu_hours * self._rates.gpu_hour)
        return Usage(gpu_hours, cpu_hours, money=cpu_hours * self._rates.cpu_hour)

    def _wall(self, until: float) -> Usage:
        since = until if self._since is None else self._since
        return Usage(wall_hours=max(0.0, until - since) / _HOUR_S)

    def _close(self, time: float) -> None:
        self._used += self._wall(time)
        for attempt in self._running.values():
            self._end(attempt, time)
        self._running.clear()
        self._since = None


def spent(journals: Iterable[Iterable[Mapping[str, Any]]], rates: Rates | None = None) -> Usage:
    """Return what a study has used, by the events of each of its journals."""
    total = Usage()
    for events in journals:
        spending = Spending(rates, total)
        for event in events:
            spending.take(event)
        total = spending.used()
    return total


def nearest(budget: Budget, used: Usage, currency: str = "") -> tuple[float, str]:
    """Return the largest share of a limit that is used, and that limit in words.

    >>> nearest(Budget(gpu_hours=10), Usage(8, 1, 2))
    (0.8, '8 of 10 GPU-hours')
    """
    found = [(0.0, "")]
    for limit, amount, unit in (
        (budget.gpu_hours, used.gpu_hours, "GPU-hours"),
        (budget.cpu_hours, used.cpu_hours, "CPU-hours"),
        (budget.wall_hours, used.wall_hours, "hours"),
        (budget.money, used.money, currency),
    ):
        if limit is not None:
            found.append((amount / limit, f"{amount:.3g} of {limit:.3g} {unit}"))
    return max(found)


def rates_of(prices: Prices, device: str, requests: Iterable[Resources], *, needed: bool) -> Rates:
    """Return what the hours of a run cost.

    Args:
        prices: of the user's price file.
        device: that the plan is reckoned for.
        requests: what its stages take, resolved.
        needed: whether all that they take has to have a price.

    Raises:
        UserError: something that they take has none, and has to.
    """
    requests = tuple(requests)
    priced = [name for name in prices.hourly if name != CPU]
    gpu = device if device in priced else priced[0] if len(priced) == 1 else None
    lacking = []
    if gpu is None and any(one.gpus for one in requests):
        lacking.append("a GPU (with `device:`, where it prices several)")
    if CPU not in prices.hourly and not all(one.gpus for one in requests):
        lacking.append("a core (`cpu`), which some stages take without a GPU")
    if needed and lacking:
        raise UserError(
            f"the budget is in money, and nothing tells what an hour of {' or '.join(lacking)} "
            "costs: give --prices FILE, as search_spaces/README.md has it"
        )
    return Rates(
        prices.hourly[gpu] if gpu else 0.0, prices.hourly.get(CPU, 0.0), prices.currency or ""
    )
