"""The short form of `make chaos`: every sort of victim once, at a point each, in a fixed order."""

import sys
from pathlib import Path

import pytest

from rotlab.execution.stage.perform import Work, perform
from rotlab.store.store import Store
from rotnet.learning.watch import Unwatched
from tests.chaos.environment import environment
from tests.chaos.nodes import nodes_up
from tests.chaos.storm import GONE_S, Storm, Strike
from tests.chaos.verdict import check_journal, check_mlflow, check_results, left
from tests.rotlab.execution.drive import lengths
from tests.rotlab.execution.lab import KINDS
from tests.rotlab.execution.processes import wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
STRIKES = (
    Strike("run", "writer"),
    Strike("checkpoint", "worker"),
    Strike("commit", "node"),
    Strike("record", "driver"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storm")


@pytest.fixture(scope="module")
def torn(folder: Path) -> Store:
    """A store in which a study has ended, though all that ran it was killed once."""
    orders, store, plan = folder / "orders", Store(folder / "store"), lengths()
    orders.mkdir()
    with nodes_up(2, environment(orders)) as nodes:
        words = ["-m", "tests.rotlab.execution.drive", "lengths", str(store.root)]
        Storm(
            command=[sys.executable, *words, "", "", nodes.address],
            folder=orders,
            nodes=nodes,
            done=lambda: len(store.records(plan.stages.values())),
            total=len(plan.stages),
            strikes=STRIKES,
        ).run()
        assert left(orders)
    return store


def test_every_result_is_that_of_a_run_in_peace_and_every_stage_has_one_record(
    torn: Store, folder: Path
) -> None:
    plan, peace = lengths(), Store(folder / "peace")
    work = Work(plan.stages, KINDS, {}, peace.root, dict.fromkeys(KINDS, 1), None)
    for key in plan.stages:
        perform(key, work, Unwatched())
    check_results(plan, torn, peace)


def test_no_stage_is_ended_twice(torn: Store) -> None:
    plan = lengths()
    assert len(plan.stages) < check_journal(plan, torn) <= len(plan.stages) + 2 * len(STRIKES)


def test_mlflow_has_one_run_for_each_stage_and_cell(torn: Store) -> None:
    check_mlflow(lengths(), torn)


def test_no_process_is_left(torn: Store, folder: Path) -> None:
    assert torn.root.exists()
    wait_until(lambda: not left(folder / "orders"), GONE_S)
