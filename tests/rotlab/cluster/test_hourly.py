"""What an hour costs, and what fits: arithmetic on a small layout."""

import pytest

from rotlab.cluster.fits import fits, unsaid
from rotlab.cluster.hourly import hourly
from rotlab.cluster.layout import Layout, Market, NodeType
from rotlab.planning.cost.prices import NodePrice
from rotlab.planning.stage import Resources
from rotnet.errors import UserError


def node(
    name: str, cpus: float, gpus: float, high: int, market: Market = "on demand", low: int = 0
) -> NodeType:
    return NodeType(name, (), f"machine-{name}", cpus, gpus, low, high, market, 0, 300)


LAYOUT = Layout(
    form="aws",
    head=node("head", 0, 0, 0),
    workers=(
        node("small", 4, 1, 10, "spot", low=1),
        node("large", 96, 8, 2),
        node("off", 999, 99, 0),
    ),
    most_workers=5,
    images=(),
    variables={},
    commands=(),
    shared=(),
    top=(),
)
PRICES = {
    "machine-head": NodePrice(0.1),
    "machine-small": NodePrice(9.0, 1.0),
    "machine-large": NodePrice(20.0),
}


def test_an_hour_costs_the_head_at_least_and_the_dearest_nodes_at_most() -> None:
    found = hourly(LAYOUT, PRICES)
    assert found.least == pytest.approx(0.1 + 1.0)
    assert found.most == pytest.approx(0.1 + 2 * 20.0 + 3 * 1.0)
    assert found.nodes == 6


def test_a_machine_without_a_price_of_its_market_is_named() -> None:
    prices = {**PRICES, "machine-small": NodePrice(9.0)}
    with pytest.raises(UserError, match=r"machine-small: \{spot_hour: \.\.\.\}"):
        hourly(LAYOUT, prices)


def test_stages_fit_where_there_is_room_and_may_come() -> None:
    wanted = {"pretrain": Resources(8, 2.0), "fuse": Resources(1, 0.0), "tune": Resources(4)}
    found = fits(LAYOUT, wanted)
    assert found == {
        "pretrain": ("large",),
        "fuse": ("small", "large"),
        "tune": ("small", "large"),
    }


def test_a_stage_that_no_node_could_ever_hold_is_refused() -> None:
    with pytest.raises(UserError, match=r"pretrain \(cpus 8, gpus 16\).* would wait for ever"):
        fits(LAYOUT, {"pretrain": Resources(8, 16.0), "fuse": Resources(1, 0.0)})


def test_stages_that_leave_their_gpus_to_chance_are_told() -> None:
    wanted = {"pretrain": Resources(1), "fuse": Resources(1, 0.0)}
    assert unsaid(LAYOUT, wanted) is None  # one node with a GPU is always there
    from_nothing = Layout(LAYOUT.form, LAYOUT.head, LAYOUT.workers[1:], 5, (), {}, (), (), ())
    assert "resources: {pretrain: {gpus: 1}}" in str(unsaid(from_nothing, wanted))
    assert unsaid(from_nothing, {"pretrain": Resources(1, 1.0)}) is None
