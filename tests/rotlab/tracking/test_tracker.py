"""The writer as a process of its own: what becomes of it, and of what it has not sent yet."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.tracking.journal import Journal
from rotlab.tracking.tracker import Tracker
from rotlab.tracking.writer import NICENESS
from tests.rotlab.execution.processes import descendants, is_alive, kill, wait_until
from tests.rotlab.tracking.conftest import make_plan
from tests.rotlab.tracking.story import events_of, held, runs_of

NOBODY = "http://127.0.0.1:1"
# A driver that journals a study and then waits to be killed.
DRIVER = """
import sys, time
from pathlib import Path
from rotlab.tracking.journal import Journal
from rotlab.tracking.tracker import Tracker
from tests.rotlab.tracking.conftest import make_plan
from tests.rotlab.tracking.story import events_of
plan, path, uri = make_plan(fusion=False), Path(sys.argv[1]), sys.argv[2]
tracker = Tracker(plan, Journal(path), uri)
tracker.start()
for event in events_of(plan):
    tracker.record(event)
print("journalled", flush=True)
time.sleep(100)
"""


@pytest.fixture
def plan(study: Callable[..., Plan]) -> Plan:
    return study(fusion=False)


def writers() -> list[int]:
    return [pid for pid, name in descendants(os.getpid()).items() if "tracking.writer" in name]


def journal_all(tracker: Tracker, plan: Plan) -> int:
    events = events_of(plan)
    for event in events:
        tracker.record(event)
    return len(events)


def test_a_study_reaches_mlflow_by_another_process(plan: Plan, journal: Journal, uri: str) -> None:
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    journal_all(tracker, plan)
    assert tracker.close() == 0
    assert tracker.problem is None
    assert len(runs_of(uri)) == 1 + len(plan.stages) + len(plan.cells)
    assert writers() == []


def test_what_stages_compute_goes_before_what_is_told_of_it(
    plan: Plan, journal: Journal, uri: str
) -> None:
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    wait_until(lambda: bool(writers()), 30)
    (writer,) = writers()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    wait_until(lambda: os.getpriority(os.PRIO_PROCESS, writer) == own + NICENESS, 30)
    tracker.close()


def test_a_server_that_is_away_keeps_nobody_waiting(plan: Plan, journal: Journal) -> None:
    tracker = Tracker(plan, journal, NOBODY)
    tracker.start()
    began = time.monotonic()
    number = journal_all(tracker, plan)
    assert time.monotonic() - began < 0.5
    wait_until(lambda: tracker.problem is not None, 30)
    assert tracker.close(5.0) == number
    assert tracker.problem is not None
    assert "\n" not in tracker.problem
    assert "127.0.0.1" in tracker.problem
    assert writers() == []


def test_a_writer_that_is_killed_is_started_again_and_nothing_is_lost_or_doubled(
    plan: Plan, journal: Journal, uri: str
) -> None:
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    wait_until(lambda: bool(writers()), 10)
    first = writers()
    kill(*first)
    wait_until(lambda: writers() not in ([], first), 10)
    journal_all(tracker, plan)
    wait_until(lambda: Path(journal.path).with_suffix(".sent").exists(), 30)
    os.kill(writers()[0], signal.SIGSTOP)  # in the midst of it, perhaps
    kill(*writers())
    assert tracker.close() == 0
    assert tracker.problem is None
    assert len(runs_of(uri)) == 1 + len(plan.stages) + len(plan.cells)


def test_a_writer_that_stands_still_is_ended_in_time(
    plan: Plan, journal: Journal, uri: str
) -> None:
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    wait_until(lambda: bool(writers()), 10)
    os.kill(writers()[0], signal.SIGSTOP)
    number = journal_all(tracker, plan)
    began = time.monotonic()
    assert tracker.close(0.5) == number
    assert time.monotonic() - began < 5
    assert writers() == []


def test_a_writer_that_cannot_begin_is_told_of_in_one_line(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mlflow.py").write_text("raise OSError('no such luck')")
    monkeypatch.syspath_prepend(str(tmp_path))
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    number = journal_all(tracker, plan)
    wait_until(lambda: tracker.problem is not None, 30)
    assert tracker.close(20.0) == number
    ended = "the process that writes to it ended with status 1: OSError: no such luck"
    assert tracker.problem == ended


@pytest.fixture
def killed(tmp_path: Path, uri: str) -> Iterator[list[int]]:
    """Return the writer of a driver that was killed as soon as it had journalled all."""
    words = [sys.executable, "-c", DRIVER, str(tmp_path / "journal.jsonl"), uri]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as driver:  # noqa: S603  (our own)
        assert driver.stdout is not None
        driver.stdout.readline()
        wait_until(lambda: bool(descendants(driver.pid)), 10)
        below = list(descendants(driver.pid))
        driver.kill()
    yield below
    kill(*below)


def test_a_writer_whose_driver_was_killed_sends_what_is_there_and_ends(
    killed: list[int], uri: str, tmp_path: Path, plan: Plan, empty_database: Path
) -> None:
    wait_until(lambda: not is_alive(killed[0]), 25)
    (tmp_path / "calm").mkdir()
    calm = tmp_path / "calm" / "mlflow.db"
    calm.write_bytes(empty_database.read_bytes())
    tracker = Tracker(plan, Journal(tmp_path / "calm" / "journal.jsonl"), f"sqlite:///{calm}")
    tracker.start()
    journal_all(tracker, plan)
    assert tracker.close() == 0
    assert held(uri) == held(f"sqlite:///{calm}")


@pytest.mark.parametrize("uri", [NOBODY])
def test_a_writer_whose_driver_was_killed_and_whose_server_is_away_does_not_live_on(
    killed: list[int], uri: str
) -> None:
    assert uri == NOBODY
    wait_until(lambda: not is_alive(killed[0]), 25)


def test_after_a_kill_of_both_the_next_driver_sends_the_rest(
    killed: list[int], uri: str, tmp_path: Path
) -> None:
    kill(*killed)
    plan, journal = make_plan(fusion=False), Journal(tmp_path / "journal.jsonl")
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    assert tracker.close() == 0
    journal.close()
    runs = runs_of(uri)
    assert len(runs) == 1 + len(plan.stages) + len(plan.cells)
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
