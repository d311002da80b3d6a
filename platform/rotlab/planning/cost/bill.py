"""What a plan comes to: hours, money and disk, by stage kind and by axis value. Sums only."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import repeat
from typing import Any

from rotlab.planning.cost.cost import Estimate, Machine
from rotlab.planning.cost.devices import CPU
from rotlab.planning.cost.prices import Prices
from rotlab.planning.cost.stoppable import stoppable
from rotlab.planning.key import canonical
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import StageKind


@dataclass(frozen=True, slots=True)
class Spending:
    """What some stages take.

    Args:
        gpu_hours: of the stages that take a GPU.
        cpu_hours: core hours of the others.
        money: None where nothing is priced, or a device that is needed is not.
        stages: how many.
        unknown: how many of them take nobody knows how long; they are in no hours.
    """

    gpu_hours: float = 0.0
    cpu_hours: float = 0.0
    money: float | None = 0.0
    stages: int = 0
    unknown: int = 0

    def __add__(self, other: "Spending") -> "Spending":
        no_price = self.money is None or other.money is None
        return Spending(
            self.gpu_hours + other.gpu_hours,
            self.cpu_hours + other.cpu_hours,
            None if no_price else (self.money or 0.0) + (other.money or 0.0),
            self.stages + other.stages,
            self.unknown + other.unknown,
        )

    def __mul__(self, times: int) -> "Spending":
        money = None if self.money is None else self.money * times
        gpu_hours, cpu_hours = self.gpu_hours * times, self.cpu_hours * times
        return Spending(gpu_hours, cpu_hours, money, self.stages * times, self.unknown * times)

    def hours(self, *, has_gpu: bool) -> float:
        """Return GPU-hours where there are GPUs, else CPU-hours."""
        return self.gpu_hours if has_gpu else self.cpu_hours


@dataclass(frozen=True, slots=True)
class KindBill:
    """What the stages of one kind, or of all, take.

    Args:
        planned: all of the plan.
        missing: those that the store has not.
        unshared: as many as there would be if every cell ran by itself.
        sources: why -> number of planned stages whose time is known, or not, for that reason.
    """

    planned: Spending = Spending()
    missing: Spending = Spending()
    unshared: Spending = Spending()
    sources: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ValueBill:
    """What one value of an axis takes: the missing stages that no other value needs."""

    axis: str
    value: Any
    saved: Spending


@dataclass(frozen=True, slots=True)
class Bill:
    """What a plan comes to.

    Args:
        kinds: kind -> what its stages take, in the plan's order.
        total: of all kinds.
        values: what each value of each axis of several takes, the dearest first.
        bytes_planned: of all results.
        bytes_missing: of those that the store has not.
        machine: that stages are taken to run on.
        prices: of its hours.
        stoppable: of what is missing, what the pruners of searches may save at most.
    """

    kinds: Mapping[str, KindBill]
    total: KindBill
    values: tuple[ValueBill, ...]
    bytes_planned: int
    bytes_missing: int
    machine: Machine
    prices: Prices
    stoppable: Spending = Spending()


def make_bill(
    plan: Plan,
    kinds: Mapping[str, StageKind],
    estimates: Mapping[str, Estimate],
    done: Collection[str],
    machine: Machine,
    prices: Prices,
) -> Bill:
    """Return what a plan comes to.

    Args:
        plan: whose stages.
        kinds: stage kinds by name.
        estimates: of every stage.
        done: keys of the stages that the store has.
        machine: that stages run on.
        prices: of its hours.
    """
    take = _Pricing(kinds, machine, prices)
    spent = {key: take.one(plan.stages[key].kind, one.seconds) for key, one in estimates.items()}
    alone = {
        key: take.one(plan.stages[key].kind, one.seconds_alone) for key, one in estimates.items()
    }
    uses = Counter(key for cell in plan.cells for key in cell.stages)
    uses.update(key for one in plan.proposed for key in one.stages)
    by_kind = {
        kind: KindBill(
            planned=_sum(spent[key] for key in keys),
            missing=_sum(spent[key] for key in keys if key not in done),
            unshared=_sum((alone[key] for key in keys), (uses[key] for key in keys)),
            sources=Counter(estimates[key].why for key in keys),
        )
        for kind, keys in plan.stages_by_kind().items()
    }
    total = KindBill(
        planned=_sum(one.planned for one in by_kind.values()),
        missing=_sum(one.missing for one in by_kind.values()),
        unshared=_sum(one.unshared for one in by_kind.values()),
    )
    missing = {key: one for key, one in spent.items() if key not in done}
    return Bill(
        kinds=by_kind,
        total=total,
        values=_values(plan, missing, has_gpu=machine.device.has_gpu),
        bytes_planned=sum(one.result_bytes for one in estimates.values()),
        bytes_missing=sum(estimates[key].result_bytes for key in missing),
        machine=machine,
        prices=prices,
        stoppable=_sum(
            take.one(plan.stages[key].kind, seconds)
            for key, seconds in stoppable(plan, kinds, estimates, done).items()
        ),
    )


class _Pricing:
    """What the hours of a stage of each kind are and cost."""

    def __init__(self, kinds: Mapping[str, StageKind], machine: Machine, prices: Prices) -> None:
        self._occupied = {name: machine.occupied(kind) for name, kind in kinds.items()}
        self._gpu_price = prices.hourly.get(machine.device.name)
        self._cpu_price = prices.hourly.get(CPU)
        self._known: dict[tuple[str, float | None], Spending] = {}

    def one(self, kind: str, seconds: float | None) -> Spending:
        """Return what a stage takes; the same object for the same time."""
        known = self._known.get((kind, seconds))
        if known is None:
            known = self._known[kind, seconds] = self._price(kind, seconds)
        return known

    def _price(self, kind: str, seconds: float | None) -> Spending:
        if seconds is None:
            return Spending(stages=1, unknown=1)
        occupied, hours = self._occupied[kind], seconds / 3600
        if occupied.gpus:
            gpu_hours = hours * occupied.gpus
            return Spending(gpu_hours, 0.0, _times(self._gpu_price, gpu_hours), 1)
        cpu_hours = hours * occupied.cpus
        return Spending(0.0, cpu_hours, _times(self._cpu_price, cpu_hours), 1)


def _times(price: float | None, hours: float) -> float | None:
    """Nothing costs nothing, whatever its price."""
    return 0.0 if hours == 0 else None if price is None else price * hours


def _sum(found: Iterable[Spending], times: Iterable[int] = repeat(1)) -> Spending:
    """Add up; most are one of a few objects, which are counted first."""
    counts: dict[int, int] = {}
    each: dict[int, Spending] = {}
    for one, number in zip(found, times, strict=False):
        counts[id(one)] = counts.get(id(one), 0) + number
        each[id(one)] = one
    return reduce(Spending.__add__, (each[one] * counts[one] for one in each), Spending())


def _values(plan: Plan, missing: Mapping[str, Spending], *, has_gpu: bool) -> tuple[ValueBill, ...]:
    """For each value of each axis, what only cells with that value need."""
    arms: dict[str, list[int]] = {}
    values_of: dict[int, Mapping[str, Any]] = {}
    needs = [(cell.arm, cell.stages) for cell in plan.cells]
    needs += [
        (arm, one.stages) for one in plan.proposed for arm in plan.tunings[one.proposal.tuning].arms
    ]
    for values, stages in needs:  # an arm's cells share one mapping
        arm = id(values)
        values_of[arm] = values
        for key in stages:
            if key in missing:
                needing = arms.setdefault(key, [])
                if not needing or needing[-1] != arm:  # what an arm needs comes together
                    needing.append(arm)
    needed_by: dict[tuple[int, ...], list[Spending]] = {}
    for key, needing in arms.items():
        needed_by.setdefault(tuple(needing), []).append(missing[key])
    spent = {needing: _sum(each) for needing, each in needed_by.items()}
    found = [value for axis in plan.axes for value in _values_of_axis(axis, values_of, spent)]
    return tuple(sorted(found, key=lambda one: -one.saved.hours(has_gpu=has_gpu)))


def _values_of_axis(
    axis: str, arms: Mapping[int, Mapping[str, Any]], spent: Mapping[tuple[int, ...], Spending]
) -> Iterator[ValueBill]:
    held = {id(values[axis]): values[axis] for values in arms.values() if axis in values}
    text_of = {known: canonical(value) for known, value in held.items()}
    texts = {
        arm: text_of[id(values[axis])] if axis in values else None for arm, values in arms.items()
    }
    shown = {text_of[known]: value for known, value in held.items()}
    if len(shown) < 2:
        return
    only: dict[str | None, list[Spending]] = {}
    for needing, spending in spent.items():
        having = {texts[arm] for arm in needing}
        if len(having) == 1:
            only.setdefault(having.pop(), []).append(spending)
    for text, value in shown.items():
        yield ValueBill(axis, value, _sum(only.get(text, ())))
