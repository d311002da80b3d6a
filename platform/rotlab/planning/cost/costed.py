"""A plan with what it costs: how `rotlab plan` comes from a file to a bill."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rotlab.planning.cost.bill import Bill, make_bill
from rotlab.planning.cost.cost import Estimate, Machine, Timed, estimate
from rotlab.planning.cost.devices import CPU, DEFAULT_GPU, Device, rate_text
from rotlab.planning.cost.prices import Prices
from rotlab.planning.cost.sizes import Sizes
from rotlab.planning.plan.planned import Planned
from rotnet.recipes import RECIPES


@dataclass(frozen=True, slots=True)
class Costed:
    """What is known of a plan's costs.

    Args:
        estimates: key -> how long the stage takes.
        bill: what that comes to.
        assumed: what was taken for granted, in words.
    """

    estimates: Mapping[str, Estimate]
    bill: Bill
    assumed: tuple[str, ...]


def cost(
    planned: Planned,
    done: Collection[str],
    timed: Sequence[Timed],
    prices: Prices,
    device: str | None,
) -> Costed:
    """Return what a plan costs.

    Args:
        planned: a file and its plan.
        done: keys of the stages that the store has.
        timed: stages that ran, of this plan or of others.
        prices: what hours cost and how fast devices are.
        device: to plan for; None takes the price file's, else that of the plan's own records, else
            the one that the recipe is for.

    Raises:
        UserError: a device is not known.
        DataError: a prepared set cannot be read.
    """
    chosen, because = _choose(planned, timed, prices, device)
    machine = Machine(chosen, prices.find(CPU), planned.spec.resources)
    sizes = Sizes(planned.datasets)
    estimates = estimate(planned.plan, planned.kinds, sizes, machine, timed)
    bill = make_bill(planned.plan, planned.kinds, estimates, done, machine, prices)
    said = [f"device: {chosen.name}, {because}"]
    if any(one.source == "flops" and one.amount for one in estimates.values()):
        said.append(f"{chosen.name}: {_rates(chosen)}")
        said.append("reading clips keeps pace with the network, and starting a stage takes no time")
    said += [f"{name}: {source}" for name, source in sizes.sources().items()]
    return Costed(estimates, bill, tuple(said))


def _choose(
    planned: Planned, timed: Sequence[Timed], prices: Prices, name: str | None
) -> tuple[Device, str]:
    """The device to plan for, and why that one."""
    if name is not None:
        return prices.find(name), "as given"
    if prices.device is not None:
        return prices.find(prices.device), "of the price file"
    own = Counter(
        one.device
        for one in timed
        if one.stage.key in planned.plan.stages
        and planned.kinds[one.stage.kind].resources.gpus != 0
    )
    if own:
        found = own.most_common(1)[0][0]
        known = next((one for one in prices.devices.values() if one.is_called(found)), None)
        return known or Device(found), "on which stages of this plan ran"
    if RECIPES[planned.spec.base].on_cpu:
        return prices.find(CPU), f"which the recipe {planned.spec.base} is for"
    return prices.find(DEFAULT_GPU), "taken for want of a better; --device or --prices names yours"


def _rates(device: Device) -> str:
    rates: dict[float, list[str]] = {}
    for precision, rate in device.flops.items():
        rates.setdefault(rate, []).append(precision)
    said = (f"{rate_text(rate)} in {' and '.join(of)}" for rate, of in rates.items())
    return f"{', '.join(said)}, kept up in training ({device.source})"
