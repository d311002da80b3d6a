"""What a run brings about without starting anything: all is in the store."""

import shutil
from dataclasses import replace
from pathlib import Path
from threading import Timer

import pytest
from rich.console import Console

from rotlab.execution.conduct.job import Job
from rotlab.execution.run import run_job
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.stage import Stage
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotlab.tracking.client import find_runs, open_client
from rotlab.tracking.journal import Journal
from rotlab.tracking.tracker import JournalOnly
from rotnet.errors import UserError
from tests.rotlab.execution.lab import KINDS, make_job, make_plan, make_stage


class Unwatched:
    """Hears nothing and never stops anything."""

    def report(self, *_: object) -> None: ...

    def saved(self, *_: object) -> None: ...

    def should_stop(self) -> str:
        return "no"


@pytest.fixture
def job(tmp_path: Path, empty_database: Path) -> Job:
    """Return a study of one stage, which is done, and journalled as done by this study."""
    stage = make_stage("count", name="a")
    job = make_job(make_plan([stage]), tmp_path / "store")
    work = Work({stage.key: stage}, KINDS, {}, job.store.root, {"count": 1})
    record = perform(stage.key, work, Unwatched())  # type: ignore[arg-type]  # it says "no" only
    shutil.copy(empty_database, job.store.root / "mlflow.db")
    journal = Journal(job.store.journal_path("lab"))
    ended = {"attempt": record.attempt, "state": "FINISHED", "seconds": 1.0, "error": None}
    for event in (
        {"event": "study_started", "time": 1.0},
        {"event": "stage_started", "time": 1.0, "key": stage.key, "attempt": record.attempt},
        {**ended, "event": "stage_ended", "time": 2.0, "key": stage.key, "metrics": record.metrics},
        {"event": "study_ended", "time": 3.0, "state": "FINISHED"},
    ):
        journal.append(event)
    journal.close()
    return job


def run(job: Job) -> list[str]:
    said: list[str] = []
    assert run_job(job, Console(quiet=True), said.append) == 0
    assert said[0] == "nothing to do: all 1 stages are in the store"
    assert not any("warning" in line for line in said)
    return said


def test_a_run_that_fails_before_it_begins_tells_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be taken for the end of the one before, whose attempts then ran until now."""
    stage = make_stage("count", name="a")
    job = make_job(make_plan([stage]), tmp_path)
    journal = Journal(job.store.journal_path("lab"))
    journal.append({"event": "study_started", "time": 1.0})
    journal.append({"event": "stage_started", "time": 1.0, "key": stage.key, "attempt": "a"})
    journal.close()

    def nobody_answers(*_: object, **__: object) -> None:
        raise UserError("nobody answers there")

    monkeypatch.setattr("rotlab.execution.run.cluster", nobody_answers)
    monkeypatch.setattr("rotlab.execution.run.Tracker", lambda *args: JournalOnly(args[1]))
    with pytest.raises(UserError, match="nobody answers there"):
        run_job(job, Console(quiet=True), list[str]().append)
    told = [event["event"] for event in journal.read()]
    assert told == ["study_started", "stage_started"]


def test_a_run_waits_for_another_that_has_not_saved_the_study_yet(job: Job) -> None:
    study = next_revision(None, job.plan, job.text, job.resources)
    saving = Timer(0.5, lambda: job.store.save_study(study))
    said: list[str] = []
    with job.store.driving("lab", "first"):
        saving.start()
        assert run_job(job, Console(quiet=True), said.append) == 0
    assert "lab is being run by process" in said[0]


def in_mlflow(job: Job) -> dict[str, tuple[str, dict[str, float]]]:
    """Return the state and metrics of the runs of the study's stage and cell."""
    client = open_client(f"sqlite:///{job.store.root}/mlflow.db")
    experiment = client.get_experiment_by_name("lab")
    assert experiment is not None
    runs = {
        run.data.tags["rotlab.type"]: run for run in find_runs(client, experiment.experiment_id)
    }
    return {kind: (runs[kind].info.status, runs[kind].data.metrics) for kind in ("stage", "cell")}


def make_again(store: Store, stage: Stage, metrics: dict[str, float]) -> Record:
    """Withdraw a stage's result and make another, as a run of another study does."""
    old = store.record(stage.key, stage.kind)
    assert old is not None
    store.set_aside(old, "it is to be made again")
    folder = store.new_attempt(stage)
    return store.commit(stage, folder, replace(old, attempt=folder.name, metrics=metrics, files={}))


def test_a_result_that_was_made_again_elsewhere_reaches_this_studys_mlflow(job: Job) -> None:
    (stage,) = job.plan.stages.values()
    run(job)
    status, metrics = in_mlflow(job)["cell"]
    assert (status, metrics["epochs"]) == ("FINISHED", 2.0)
    make_again(job.store, stage, {"epochs": 7.0})
    run(job)
    assert {values["epochs"] for _, values in in_mlflow(job).values()} == {7.0}
    journal = Journal(job.store.journal_path("lab"))
    before = journal.read()
    assert before[-2]["state"] == "REUSED"
    run(job)
    assert journal.read() == before
