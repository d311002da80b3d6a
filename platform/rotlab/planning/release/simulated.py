"""A costed plan run in virtual time: what `rotlab plan --simulate` tells."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from rotlab.planning.cost.cost import seconds_of
from rotlab.planning.cost.costed import Costed
from rotlab.planning.cost.prices import Prices
from rotlab.planning.plan.planned import Planned
from rotlab.planning.release.outcome import Outcome
from rotlab.planning.release.outcome_outline import outcome_json, outcome_lines
from rotlab.planning.release.scenario import Scenario
from rotlab.planning.release.simulate import simulate
from rotnet.errors import UserError


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated run.

    Args:
        outcome: how it went.
        scenario: the cluster.
        prices: of its hours.
        device: that it has.
    """

    outcome: Outcome
    scenario: Scenario
    prices: Prices
    device: str

    def lines(self) -> list[str]:
        """Return it as text."""
        return outcome_lines(self.outcome, self.scenario, self.prices, self.device)

    def json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return outcome_json(self.outcome, self.scenario, self.prices, self.device)


def simulate_plan(
    planned: Planned, costed: Costed, done: Collection[str], scenario: Scenario
) -> Simulated:
    """Run the missing stages of a plan in virtual time.

    Raises:
        UserError: the plan was reckoned for another sort of machine, or cannot be simulated.
    """
    bill = costed.bill
    machine = bill.machine
    if bool(scenario.gpus) != machine.device.has_gpu:
        raise UserError(
            f"cannot simulate: times are reckoned for {machine.device.name}, and the cluster has "
            f"{scenario.gpus} GPUs; --device NAME reckons for another"
        )
    occupied = {name: machine.occupied(kind) for name, kind in planned.kinds.items()}
    outcome = simulate(planned.plan, occupied, seconds_of(costed.estimates), scenario, done)
    return Simulated(outcome, scenario, bill.prices, machine.device.name)
