"""What an hour of a cluster costs, at least and at most. Arithmetic only."""

from collections.abc import Mapping
from dataclasses import dataclass

from rotlab.cluster.layout import Layout, NodeType
from rotlab.planning.cost.prices import NodePrice
from rotnet.errors import UserError


@dataclass(frozen=True, slots=True)
class Hourly:
    """The price of an hour.

    Args:
        least: with no work: the head, and nodes that never go.
        most: with as many nodes as may come, the dearest first.
        nodes: how many nodes that is, the head among them.
    """

    least: float
    most: float
    nodes: int


def hourly(layout: Layout, prices: Mapping[str, NodePrice]) -> Hourly:
    """Return what an hour costs.

    Args:
        layout: of the cluster.
        prices: machine -> what an hour of it costs.

    Raises:
        UserError: if a machine has no price of its market.
    """
    types = [node for node in (layout.head, *layout.workers) if node.high or node is layout.head]
    lacking = {node.machine: _unit(node) for node in types if _price(node, prices) is None}
    if lacking:
        each = ", ".join(f"{machine}: {{{unit}: ...}}" for machine, unit in lacking.items())
        raise UserError(f"the price file has no price for these machines; add nodes: {{{each}}}")
    head, *workers = ((_price(node, prices) or 0.0, node) for node in types)
    least = head[0] + sum(price * node.low for price, node in workers)
    most, left = head[0], layout.most_workers
    for price, node in sorted(workers, key=lambda pair: -pair[0]):
        number = min(node.high, left)
        most, left = most + price * number, left - number
    return Hourly(least, most, 1 + layout.most_workers - left)


def _price(node: NodeType, prices: Mapping[str, NodePrice]) -> float | None:
    found = prices.get(node.machine, NodePrice())
    return found.spot_hour if node.market == "spot" else found.hour


def _unit(node: NodeType) -> str:
    return "spot_hour" if node.market == "spot" else "hour"
