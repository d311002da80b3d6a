"""A study on a cluster that grows from nothing, loses a node in the middle, and shrinks again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rotlab.execution.stage.perform import Work, perform
from rotlab.store.store import Store
from rotnet.learning.watch import Unwatched
from tests.chaos.verdict import check_results
from tests.rotlab.cluster.growing import Growing, growing
from tests.rotlab.execution.drive import trainings
from tests.rotlab.execution.lab import KINDS
from tests.rotlab.execution.processes import Outcome, finish, kill, start_driver, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
_NODES = 2
_PATIENCE_S = 120.0


@dataclass
class History:
    """Which nodes there were when, each seen once, and how the study ended."""

    store: Store
    before: list[int] = field(default_factory=list)
    at_work: list[int] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    is_gone: bool = False
    outcome: Outcome = field(default_factory=lambda: Outcome(-1, "", ""))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    store = Store(tmp_path_factory.mktemp("grown") / "store")
    seen = History(store)
    with growing(_NODES) as cluster:
        seen.before = cluster.nodes()
        driver = start_driver("trainings", store.root, address=cluster.address, env=cluster.env)
        try:
            seen.at_work = wait_for_nodes(cluster)
            wait_until(lambda: any(store.root.rglob("checkpoint.pt")), _PATIENCE_S)
            kill(seen.at_work[0])
            seen.replaced = wait_for_nodes(cluster, without=seen.at_work[0])
        finally:
            seen.outcome = finish(driver, _PATIENCE_S)
        wait_until(lambda: not cluster.nodes(), _PATIENCE_S)
        seen.is_gone = True
    return seen


def wait_for_nodes(cluster: Growing, without: int = -1) -> list[int]:
    """Return the nodes once there are as many as may be, that one not among them."""
    seen: list[int] = []

    def are_there() -> bool:
        seen[:] = cluster.nodes()
        return len(seen) == _NODES and without not in seen

    wait_until(are_there, _PATIENCE_S)
    return seen


def test_nodes_come_for_a_study_and_go_after_it(history: History) -> None:
    assert (history.before, len(history.at_work), history.is_gone) == ([], _NODES, True)


def test_a_lost_node_is_replaced_and_the_study_ends_well(history: History) -> None:
    assert history.at_work[0] not in history.replaced
    assert len(history.replaced) == _NODES
    assert history.outcome.status == 0, history.outcome.err


def test_every_result_is_that_of_a_laptop(history: History, tmp_path: Path) -> None:
    plan, laptop = trainings(), Store(tmp_path)
    work = Work(plan.stages, KINDS, {}, laptop.root, dict.fromkeys(KINDS, 1), None)
    *learnt, total = plan.stages
    with ThreadPoolExecutor() as pool:  # they sleep most of the time
        list(pool.map(lambda key: perform(key, work, Unwatched()), learnt))
    perform(total, work, Unwatched())
    check_results(plan, history.store, laptop)
