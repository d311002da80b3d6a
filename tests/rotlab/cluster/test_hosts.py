"""A study on several hosts: one is cut off from the network and healed; MLflow is restarted.

The store is a folder that all hosts share, also while one is cut off: so the worker there could do
all the damage that there is to do. Ray is told to look for lost nodes more often than it does.
"""

import json
import logging
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rotlab.execution.conduct.listener import Event
from rotlab.planning.plan.planned import Planned, plan_file
from rotlab.store.store import CHECKPOINT, Store
from rotlab.tracking.journal import Journal
from tests.chaos.environment import environment
from tests.chaos.long import make_data, run_undisturbed
from tests.chaos.nodes import Nodes, Place, nodes_up
from tests.chaos.verdict import check_journal, check_mlflow, check_results
from tests.rotlab.cluster.hosts import Host, hosts, why_not
from tests.rotlab.execution.processes import descendants, is_alive, kill, wait_until
from tests.rotlab.tracking.servers import MlflowServer

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
FILE = Path(__file__).with_name("hosts.yaml")
LOG = "driver.log"
ROTLAB = Path(sys.executable).with_name("rotlab")
BLIP_S = 0.7  # over before Ray has looked in vain as often as it does
PATIENCE_S, ENDS_S = 120.0, 30.0
QUICKER = {"RAY_health_check_timeout_ms": "2000"}  # three in vain are a loss; 10 s is Ray's own
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class AtWork:
    """A pretraining that somebody is at, as its lease tells."""

    key: str
    attempt: str
    host: str
    process: int


@dataclass
class Cut:
    """A worker that was cut off while at a stage, and what came of it.

    Args:
        stage: that it was at.
        noticed_s: seconds until the driver took it for lost.
        idle_s: seconds from then on until another was at its stage, for want of a free worker too.
        ended_s: seconds after healing until its process had ended.
        status: of the driver.
        said: by the driver.
        left: processes on the hosts once the cluster was over.
    """

    stage: AtWork
    noticed_s: float = 0.0
    idle_s: float = 0.0
    ended_s: float = 0.0
    status: int | None = None
    said: str = ""
    left: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lacking = why_not()
    if lacking:
        pytest.skip(lacking)
    folder = tmp_path_factory.mktemp("hosts")
    make_data(folder)
    return folder


@pytest.fixture(scope="module")
def planned(folder: Path) -> Planned:
    return plan_file(FILE, folder / "data")


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    return Store(folder / "store")


@pytest.fixture(scope="module")
def cut(folder: Path, store: Store) -> Cut:
    """How it went, once the study has ended and the cluster is down."""
    store.root.mkdir()
    orders = folder / "orders"
    orders.mkdir()
    with hosts(3) as (head, *others), ThreadPoolExecutor() as beside:
        mlflow = MlflowServer(f"sqlite:///{store.root}/mlflow.db", folder, within=head.within)
        is_up = beside.submit(mlflow.start)
        places = [Place(host.address, host.within) for host in (head, *others)]
        env = {**environment(orders), **QUICKER}
        with nodes_up(2, env, places=places) as nodes:
            is_up.result()
            driver = start_driver(head, nodes, folder, mlflow.uri)
            try:
                found = go_through(store, driver, folder / LOG, others, mlflow)
            finally:
                kill(driver.pid, *descendants(driver.pid))
        mlflow.kill()
        found.said = (folder / LOG).read_text()
        found.left = [pid for host in (head, *others) for pid in host.pids() if stays(pid)]
    return found


def start_driver(head: Host, nodes: Nodes, folder: Path, uri: str) -> subprocess.Popen[bytes]:
    words = [*head.within, str(ROTLAB), "run", str(FILE), "--address", nodes.address]
    words += ["--data", str(folder / "data"), "--store", str(folder / "store")]
    with (folder / LOG).open("wb") as out:
        return subprocess.Popen(  # noqa: S603  (our own command)
            [*words, "--tracking-uri", uri],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=nodes.env,
            start_new_session=True,
        )


def go_through(
    store: Store,
    driver: subprocess.Popen[bytes],
    log: Path,
    others: Sequence[Host],
    mlflow: MlflowServer,
) -> Cut:
    """Cut the first at work off for a moment, without MLflow, then for long; heal; see the end."""

    def until(condition: Callable[[], object]) -> float:
        seconds = wait_until(lambda: driver.poll() is not None or bool(condition()), PATIENCE_S)
        assert driver.poll() is None, log.read_text()
        return seconds

    until(lambda: at_work(store))
    found = Cut(at_work(store)[0])
    stage = found.stage
    victim = next(host for host in others if host.name == stage.host)
    checkpoint = store.attempts(stage.key, "pretrain") / stage.attempt / CHECKPOINT

    mlflow.kill()
    victim.cut()
    time.sleep(BLIP_S)
    victim.heal()
    healed = time.time()
    until(lambda: checkpoint.stat().st_mtime > healed)

    victim.cut()
    with ThreadPoolExecutor() as beside:
        is_back = beside.submit(mlflow.start)
        found.noticed_s = until(lambda: ends(store, stage.attempt))
        found.idle_s = until(lambda: is_at_another(store, stage))
        victim.heal()
        found.ended_s = wait_until(lambda: not is_alive(stage.process), PATIENCE_S)
        is_back.result()
    found.status = driver.wait(PATIENCE_S)
    _LOG.info("%s", found)
    return found


def at_work(store: Store) -> list[AtWork]:
    """Return the pretrainings that somebody is at and has saved, those begun first."""
    found = []
    for path in store.root.glob("pretrain/*/lease.json"):
        lease = json.loads(path.read_text())
        one = AtWork(path.parent.name, lease["attempt"], lease["host"], lease["process"])
        if (store.attempts(one.key, "pretrain") / one.attempt / CHECKPOINT).exists():
            found.append(one)
    return sorted(found, key=lambda one: one.attempt)


def is_at_another(store: Store, stage: AtWork) -> bool:
    """Say whether a stage is at another attempt, or was ended by one."""
    record = store.record(stage.key, "pretrain")
    now = [one.attempt for one in at_work(store) if one.key == stage.key]
    return stage.attempt not in (now if record is None else [record.attempt]) and bool(
        now or record
    )


def events(store: Store) -> list[Event]:
    return [event for path in store.journals("hosts") for event in Journal(path).read()]


def ends(store: Store, attempt: str) -> list[Event]:
    """Return how an attempt ended, as the driver tells it."""
    told = (event for event in events(store) if event["event"] == "stage_ended")
    return [event for event in told if event.get("attempt") == attempt]


def stays(pid: int) -> bool:
    """Say whether a process does not end by itself soon."""
    try:
        wait_until(lambda: not is_alive(pid), ENDS_S)
    except AssertionError:
        return True
    return False


def steps(store: Store, planned: Planned, key: str, attempt: str) -> list[int]:
    """Return the steps that an attempt has told of in its log."""
    log = store.log_path(planned.plan.stages[key], attempt)
    return [int(step) for step in re.findall(r": step (\d+) ", log.read_text())]


def test_a_stage_whose_host_is_cut_off_goes_on_elsewhere_from_its_checkpoint(
    cut: Cut, store: Store, planned: Planned
) -> None:
    (end,) = ends(store, cut.stage.attempt)
    assert (end["state"], end["cause"]) == ("KILLED", "node")
    record = store.record(cut.stage.key, "pretrain")
    assert record is not None
    assert record.host != cut.stage.host
    lost, won = (
        steps(store, planned, cut.stage.key, one) for one in (cut.stage.attempt, record.attempt)
    )
    assert won[0] > 2
    assert won[0] - 2 <= lost[-1] < won[-1]


def test_nobody_waits_for_the_lease_of_a_worker_that_is_known_to_be_lost(
    cut: Cut, store: Store
) -> None:
    told = (event["key"] for event in events(store) if event["event"] == "stage_held")
    assert Counter(told)[cut.stage.key] <= 2  # once, and again if it was just kept up


def test_only_what_was_lost_for_long_is_begun_again(cut: Cut, store: Store) -> None:
    killed = [event["attempt"] for event in events(store) if event.get("state") == "KILLED"]
    assert killed == [cut.stage.attempt]


def test_a_healed_host_s_worker_ends_and_leaves_nothing(cut: Cut, store: Store) -> None:
    assert cut.ended_s < ENDS_S
    assert not (store.attempts(cut.stage.key, "pretrain") / cut.stage.attempt).exists()
    left = [path.name for path in store.root.rglob("*") if path.is_file()]
    assert not [name for name in left if "lease" in name or name.endswith((".tmp", ".part"))]
    assert cut.left == []


def test_every_result_is_that_of_one_machine_and_none_has_failed(
    cut: Cut, store: Store, planned: Planned, folder: Path
) -> None:
    assert cut.status == 0, cut.said
    peace = Store(folder / "peace")
    run_undisturbed(planned, peace)
    check_results(planned.plan, store, peace)
    check_journal(planned.plan, store)


def test_all_that_happened_without_mlflow_is_there_in_the_end(
    cut: Cut, store: Store, planned: Planned
) -> None:
    assert "have not reached MLflow" not in cut.said
    check_mlflow(planned.plan, store)
