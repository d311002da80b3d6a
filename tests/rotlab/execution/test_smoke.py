"""Sorts of stages tried before a study: in small, by real workers, without a trace."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from tests.rotlab.execution.drive import tried
from tests.rotlab.execution.processes import Outcome, finish, start_driver

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
STUDY = Path("studies", "lab")


@dataclass(frozen=True)
class Run:
    """A run of the command, and what it left."""

    outcome: Outcome
    files: frozenset[str]
    mlflow_runs: int

    @property
    def told(self) -> list[str]:
        return self.outcome.out.splitlines()


def run(scenario: str, store: Store) -> Run:
    outcome = finish(start_driver(scenario, store.root), 180)
    files = {path.relative_to(store.root).as_posix() for path in store.root.rglob("*")}
    with sqlite3.connect(store.root / "mlflow.db") as database:
        (number,) = database.execute("select count(*) from runs").fetchone()
    return Run(outcome, frozenset(files), number)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("tried") / "store")


@pytest.fixture(scope="module")
def failed(store: Store) -> Run:
    """A study of which one sort fails when it is tried."""
    return run("refused", store)


@pytest.fixture(scope="module")
def passed(store: Store, failed: Run) -> Run:
    """The study without it, and with another sort, in the same store."""
    assert failed.outcome.status == 1, failed
    return run("tried", store)


def test_nothing_starts_where_a_sort_fails_and_nothing_of_it_is_kept(failed: Run) -> None:
    assert failed.outcome.status == 1, failed
    places = {name.partition("/")[0] for name in failed.files}
    assert places <= {"studies", "mlflow.db", "artifacts", ".clearing.lock"}
    assert not [name for name in failed.files if ".jsonl" in name or "smoke-" in name]
    assert failed.mlflow_runs == 0
    assert failed.told[-4] == "nothing was started; mend it, and run again"


def test_a_failure_is_told_with_its_sort_its_cause_its_log_and_its_settings(
    failed: Run, store: Store
) -> None:
    told = failed.told
    heading = next(line for line in told if "cannot count" in line)
    assert heading.startswith("count (die_once false, fail true, name bad), 1 stage to do: ")
    log, settings = (Path(line.strip()) for line in told[told.index(heading) + 1 :][:2])
    assert log.parent == store.root / STUDY / "smoke"
    assert "ValueError: bad cannot count" in log.read_text()
    assert json.loads(settings.read_text())["config"]["name"] == "bad"


def test_all_sorts_are_tried_but_those_that_start_from_one_that_fails(failed: Run) -> None:
    assert "smoke: 3 of 5 sorts of stages passed" in failed.outcome.out
    assert "not tried, as what they start from failed: 1 total" in failed.outcome.out
    assert (
        "1 stage cannot be tried in small: kind learn has no settings in brief"
        in failed.outcome.out
    )


def test_sorts_are_stopped_at_a_checkpoint_and_go_on(failed: Run) -> None:
    assert "2 of them on from a checkpoint" in failed.outcome.out


def test_where_all_pass_the_study_is_run_and_what_had_passed_is_not_tried_again(
    passed: Run, store: Store
) -> None:
    assert passed.outcome.status == 0, passed
    assert "smoke: trying 1 sort of stages in small" in passed.told
    stages = tried().stages
    assert store.records(stages.values()).keys() == stages.keys()
    events = Journal(store.journal_path("lab")).read()
    assert {event["key"] for event in events if "key" in event} == stages.keys()
    assert [event["event"] for event in events].count("study_started") == 1
    assert not [name for name in passed.files if "smoke-" in name]
    assert [name for name in passed.files if name.startswith(f"{STUDY}/smoke/")] == [
        f"{STUDY}/smoke/passed.json"
    ]
