"""`rotlab sync`: MLflow holds what store and journal say, each run once, whatever became of it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rotlab.cli import main
from rotlab.commands import sync
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.stage import Resources
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotlab.tracking.client import open_client
from rotlab.tracking.journal import Journal
from rotlab.tracking.query import results
from rotlab.tracking.turn import taking_turn
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage
from tests.rotlab.tracking.story import held, runs_of
from tests.sockets import free_port

COUNT = make_stage("count", name="a", epochs=3)
TOTALS = [make_stage("total", {"x": COUNT}, name=name) for name in "bc"]
PLAN = make_plan([COUNT, *TOTALS])
Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "load_kinds", lambda: KINDS)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Store:
    """A store whose study was killed: a count and a total are done, the other was at work."""
    store = Store(tmp_path / "store")
    store.save_study(next_revision(None, PLAN, "name: lab\n", dict.fromkeys(KINDS, Resources())))
    work = Work(PLAN.stages, KINDS, {}, store.root, dict.fromkeys(KINDS, 1))
    done = [perform(one.key, work, Unwatched()) for one in (COUNT, TOTALS[0])]
    journal = Journal(store.journal_path("lab"))
    journal.append({"event": "study_started", "time": 10.0, "revision": 1})
    for time, record in enumerate(done, start=11):
        own = {"time": float(time), "key": record.key, "attempt": record.attempt}
        journal.append({"event": "stage_started", **own, "cpus": 1, "gpus": 0})
        journal.append({"event": "stage_metrics", **own, "step": 1, "metrics": {"loss": 0.5}})
        journal.append(
            {"event": "stage_ended", **own, "state": "FINISHED", "metrics": dict(record.metrics)}
            | {"seconds": 1.0, "error": None}
        )
    journal.append(
        {"event": "stage_started", "time": 14.0, "key": TOTALS[1].key, "attempt": "killed"}
    )
    journal.close()
    shutil.copy(empty_database, store.root / "mlflow.db")
    return store


@pytest.fixture
def ask(store: Store, capsys: pytest.CaptureFixture[str]) -> Ask:
    def call(*words: str) -> tuple[int, str, str]:
        status = main(["sync", *words, "--store", str(store.root)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture
def uri(store: Store) -> str:
    return f"sqlite:///{store.root}/mlflow.db"


def states(uri: str) -> dict[str, str]:
    return {key: run.info.status for key, run in runs_of(uri, "lab").items()}


def test_an_empty_mlflow_gets_every_run_in_its_true_state(ask: Ask, uri: str) -> None:
    status, out, err = ask("lab")
    assert (status, err) == (0, "")
    assert "lab: 5 runs made, 0 were there" in out
    found = states(uri)
    assert found["study:lab"] == "KILLED"
    assert found[f"stage:{COUNT.key}"] == "FINISHED"
    assert found[f"stage:{TOTALS[1].key}"] == "KILLED"
    runs = runs_of(uri, "lab")
    assert runs[f"stage:{COUNT.key}"].data.metrics["epochs"] == 3.0
    assert runs[f"stage:{TOTALS[1].key}"].info.end_time == 14_000
    assert sorted(results("lab", uri)["state"]) == ["FINISHED", "MISSING"]


def test_what_is_synced_again_stays_as_it_is(ask: Ask, uri: str, store: Store) -> None:
    ask("lab")
    before, journal = everything(uri), store.journal_path("lab").read_bytes()
    status, out, _ = ask("lab")
    assert (status, everything(uri)) == (0, before)
    assert "0 runs made, 5 were there" in out
    assert store.journal_path("lab").read_bytes() == journal


def test_runs_that_were_deleted_or_spoilt_are_put_back(ask: Ask, uri: str) -> None:
    ask("lab")
    before, client, runs = held_of(uri), open_client(uri), runs_of(uri, "lab")
    client.delete_run(runs[f"stage:{COUNT.key}"].info.run_id)
    spoilt = runs[f"stage:{TOTALS[0].key}"].info.run_id
    client.set_terminated(spoilt, "FAILED")
    client.set_tag(spoilt, "rotlab.state", "FAILED")
    status, out, _ = ask("lab")
    assert status == 0
    assert "1 runs made, 4 were there" in out
    assert held_of(uri) == before


def test_another_mlflow_gets_the_same(ask: Ask, uri: str, tmp_path: Path, store: Store) -> None:
    shutil.copy(store.root / "mlflow.db", tmp_path / "other.db")
    other = f"sqlite:///{tmp_path}/other.db"
    ask("lab")
    status, out, _ = ask("lab", "--tracking-uri", other)
    assert (status, other in out) == (0, True)
    assert held_of(other) == held_of(uri)


def test_without_a_journal_results_are_told_as_reused(ask: Ask, uri: str, store: Store) -> None:
    store.journal_path("lab").unlink()
    status, out, _ = ask("lab")
    assert status == 0
    assert "lab has no journal: its 2 results are told as reused" in out
    runs = runs_of(uri, "lab")
    assert runs[f"stage:{COUNT.key}"].data.tags["rotlab.state"] == "REUSED"
    assert f"stage:{TOTALS[1].key}" not in runs


def test_what_cannot_be_synced_is_one_line_and_changes_nothing(ask: Ask, store: Store) -> None:
    before = store.journal_path("lab").read_bytes()
    away = f"http://127.0.0.1:{free_port()}"
    for words, said in (
        (("lap",), "unknown study 'lap'; did you mean 'lab'?"),
        (("lab", "--tracking-uri", away), "no MLflow server answers at"),
        (("lab", "--tracking-uri", "mlflow"), "is not of a known form"),
    ):
        status, out, err = ask(*words)
        assert (status, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1
    assert store.journal_path("lab").read_bytes() == before
    with store.driving("lab", "other") as other:
        assert other is None
        assert "lab is being run by process" in ask("lab")[2]
    with taking_turn(store.journal_path("lab")):
        assert "is writing study 'lab' to MLflow" in ask("lab")[2]
    store.journal_path("lab").unlink()
    for stage in PLAN.stages.values():
        shutil.rmtree(store.home(stage.key, stage.kind), ignore_errors=True)
    status, _, err = ask("lab")
    assert status == 2
    assert "and no result: there is nothing to tell" in err


def test_a_study_that_ended_well_is_finished_there_too(ask: Ask, uri: str, store: Store) -> None:
    work = Work(PLAN.stages, KINDS, {}, store.root, dict.fromkeys(KINDS, 1))
    perform(TOTALS[1].key, work, Unwatched())
    assert ask("lab")[0] == 0
    assert set(states(uri).values()) == {"FINISHED"}
    assert set(results("lab", uri)["state"]) == {"FINISHED", "REUSED"}


def held_of(uri: str) -> dict[str, Any]:
    """What MLflow holds of the study, its runs' ids apart."""
    return held(uri, "lab")


def everything(uri: str) -> dict[str, Any]:
    """The same, with the ids of the runs."""
    return {key: (run.info.run_id, held_of(uri)[key]) for key, run in runs_of(uri, "lab").items()}
