"""Ctrl-C and kill -9 of the driver: no process stays, and work goes on from checkpoints."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from tests.rotlab.execution.drive import long
from tests.rotlab.execution.processes import (
    Outcome,
    descendants,
    finish,
    is_alive,
    kill,
    start_driver,
    wait_until,
)

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
IDLE_HELPERS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")


class Run:
    """A driver with two counts under way."""

    def __init__(self, store: Path, beyond: int) -> None:
        self.driver = start_driver("long", store)
        self.store = store
        try:
            wait_until(lambda: self.driver.poll() is not None or self.is_beyond(beyond), 240)
        except AssertionError:
            kill(self.driver.pid, *descendants(self.driver.pid))
            raise
        assert self.driver.poll() is None, finish(self.driver)
        self.below = descendants(self.driver.pid)

    def is_beyond(self, epochs: int) -> bool:
        counted = counts(self.store)
        return len(counted) == 2 and min(counted) > epochs


def counts(store: Path) -> list[int]:
    """How far the newest attempt at each count has come."""
    found = []
    for folder in store.glob("count/*/attempts"):
        states = [path for path in folder.glob("2*/state.json") if path.exists()]
        found.append(max((len(json.loads(path.read_text())) for path in states), default=0))
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interrupted") / "store"


@pytest.fixture(scope="module")
def interrupted(store: Path) -> tuple[Run, Outcome, float]:
    run = Run(store, beyond=10)
    start = time.monotonic()
    os.killpg(run.driver.pid, signal.SIGINT)  # as a terminal does: the whole group hears it
    return run, finish(run.driver), time.monotonic() - start


@pytest.fixture(scope="module")
def killed(store: Path, interrupted: tuple[Run, Outcome, float]) -> Iterator[tuple[Run, list[int]]]:
    assert interrupted
    run = Run(store, beyond=min(counts(store)) + 10)
    run.driver.kill()
    yield run, counts(store)
    kill(*run.below)


def test_ctrl_c_ends_within_seconds_with_its_own_status(
    interrupted: tuple[Run, Outcome, float],
) -> None:
    _, outcome, seconds = interrupted
    assert outcome.status == 130, outcome
    assert seconds < 10
    assert "interrupted: 0 of 3 stages are in the store" in outcome.out


def test_a_sigterm_to_the_whole_group_ends_alike_within_seconds(
    interrupted: tuple[Run, Outcome, float], store: Path
) -> None:
    assert interrupted
    run = Run(store, beyond=min(counts(store)) + 5)
    start = time.monotonic()
    os.killpg(run.driver.pid, signal.SIGTERM)  # as `timeout` does
    outcome = finish(run.driver)
    assert outcome.status == 130, outcome
    assert time.monotonic() - start < 10
    assert outcome.out.splitlines()[1].startswith("interrupted: 0 of 3 stages are in the store")
    assert "warning" not in outcome.out
    assert [command for pid, command in run.below.items() if is_alive(pid)] == []
    assert Journal(Store(store).journal_path("lab")).read()[-1]["state"] == "KILLED"


def test_ctrl_c_leaves_no_process_behind(interrupted: tuple[Run, Outcome, float]) -> None:
    run, _, _ = interrupted
    assert len(run.below) > 2
    assert [command for pid, command in run.below.items() if is_alive(pid)] == []


def test_after_kill_9_no_stage_works_on(killed: tuple[Run, list[int]]) -> None:
    run, _ = killed
    workers = [pid for pid, name in run.below.items() if not name.startswith(IDLE_HELPERS)]
    wait_until(lambda: not any(is_alive(pid) for pid in workers), 10)


def test_after_kill_9_a_run_goes_on_from_the_last_checkpoints(
    killed: tuple[Run, list[int]], store: Path
) -> None:
    _, reached = killed
    outcome = finish(start_driver("long", store))
    assert outcome.status == 0, outcome
    records = Store(store).records(long().stages.values())
    resumed = sorted(r.metrics["resumed_at"] for r in records.values() if r.kind == "count")
    assert len(records) == 3
    for before, after in zip(sorted(reached), resumed, strict=True):
        assert after >= before > 10


def test_when_all_is_done_a_run_says_so_and_starts_nothing(
    killed: tuple[Run, list[int]], store: Path
) -> None:
    assert killed
    outcome = finish(start_driver("long", store))
    assert (outcome.status, outcome.out.splitlines()[0]) == (
        0,
        "nothing to do: all 3 stages are in the store",
    )
