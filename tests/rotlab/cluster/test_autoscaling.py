"""A study on a cluster that grows from nothing, loses a node in the middle, and shrinks again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rotlab.execution.perform import Work, perform
from rotlab.execution.store import Store
from rotnet.learning.watch import Unwatched
from tests.chaos.verdict import check_results
from tests.rotlab.cluster.growing import growing
from tests.rotlab.execution.drive import trainings
from tests.rotlab.execution.lab import KINDS
from tests.rotlab.execution.processes import Outcome, finish, kill, start_driver, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
_NODES = 2
_PATIENCE_S = 120.0


@dataclass
class History:
    """How many nodes there were when, and how the study ended."""

    store: Store
    before: int = -1
    at_work: int = -1
    replaced: int = -1
    after: int = -1
    outcome: Outcome = field(default_factory=lambda: Outcome(-1, "", ""))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    store = Store(tmp_path_factory.mktemp("grown") / "store")
    seen = History(store)
    with growing(_NODES) as cluster:
        seen.before = len(cluster.nodes())
        driver = start_driver("trainings", store.root, address=cluster.address, env=cluster.env)
        try:
            wait_until(lambda: len(cluster.nodes()) == _NODES, _PATIENCE_S)
            seen.at_work = len(cluster.nodes())
            wait_until(lambda: any(store.root.rglob("checkpoint.pt")), _PATIENCE_S)
            lost, *_ = cluster.nodes()
            kill(lost)
            wait_until(
                lambda: len(cluster.nodes()) == _NODES and lost not in cluster.nodes(), _PATIENCE_S
            )
            seen.replaced = len(cluster.nodes())
        finally:
            seen.outcome = finish(driver, _PATIENCE_S)
        wait_until(lambda: not cluster.nodes(), _PATIENCE_S)
        seen.after = len(cluster.nodes())
    return seen


def test_nodes_come_for_a_study_and_go_after_it(history: History) -> None:
    assert (history.before, history.at_work, history.after) == (0, _NODES, 0)


def test_a_lost_node_is_replaced_and_the_study_ends_well(history: History) -> None:
    assert history.replaced == _NODES
    assert history.outcome.status == 0, history.outcome.err


def test_every_result_is_that_of_a_laptop(history: History, tmp_path: Path) -> None:
    plan, laptop = trainings(), Store(tmp_path)
    work = Work(plan.stages, KINDS, {}, laptop.root, dict.fromkeys(KINDS, 1), None)
    *learnt, total = plan.stages
    with ThreadPoolExecutor() as pool:  # they sleep most of the time
        list(pool.map(lambda key: perform(key, work, Unwatched()), learnt))
    perform(total, work, Unwatched())
    check_results(plan, history.store, laptop)
