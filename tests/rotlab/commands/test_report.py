import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rotlab.cli import main
from rotlab.commands import concluding
from rotlab.execution.conduct.job import Job
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, Stage
from rotlab.tracking.artifacts import Artifacts
from rotlab.tracking.client import open_client
from rotlab.tracking.journal import Journal
from rotlab.tracking.stage_runs import read_curves, read_stages
from rotlab.tracking.tracker import Tracker
from rotlab.tracking.uri import TrackingError
from rotnet.config import FinetuneConfig
from tests.rotlab.execution.lab import make_job, make_plan, make_stage

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in which the study `small` has ended: one stage failed, one was reused."""
    store = tmp_path_factory.mktemp("store")
    keys = [f"{init}-{seed}" for init in ("scratch", "rotation") for seed in range(4)]
    stages = {key: Stage(key, "finetune", FinetuneConfig()) for key in keys}
    cells = tuple(
        Cell({"init": key.split("-")[0]}, "demo", {"seed": int(key[-1])}, "finetune", key, (key,))
        for key in keys
    )
    journal = Journal(store / "studies" / "small" / "journal.jsonl")
    plan = Plan("small", "Does it help?", ("init",), cells, stages)
    tracker = Tracker(plan, journal, f"sqlite:///{store}/mlflow.db", f"{store}/artifacts")
    tracker.start()
    tracker.record({"event": "study_started", "time": 1.0})
    for number, key in enumerate(keys):
        tracker.record({"event": "stage_started", "time": 2.0 + number, "key": key})
        for step in (1, 2, 3):
            values = {"loss": 1 / step}
            tracker.record(
                {"event": "stage_metrics", "time": 3.0 + number, "key": key}
                | {"step": step, "metrics": values}
            )
        state = {"rotation-2": "FAILED", "scratch-0": "REUSED"}.get(key, "FINISHED")
        accuracy = (0.8 if key.startswith("rotation") else 0.5) + number / 100
        tracker.record(
            {"event": "stage_ended", "time": 4.0 + number, "key": key, "state": state}
            | ({"error": "Traceback\nValueError: no"} if state == "FAILED" else {"seconds": 36.0})
            | {"metrics": {} if state == "FAILED" else {"accuracy": accuracy, "loss": 0.3}}
        )
    assert tracker.close() == 0
    journal.close()
    return store


def run_of(store: Path) -> str:
    """The study's run."""
    client = open_client(f"sqlite:///{store}/mlflow.db")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    [run] = client.search_runs([experiment.experiment_id], "tags.`rotlab.type` = 'study'")
    return str(run.info.run_id)


def in_mlflow(store: Path, folder: Path) -> str:
    """The page that MLflow holds of the study."""
    client = open_client(f"sqlite:///{store}/mlflow.db")
    return Path(client.download_artifacts(run_of(store), "report.html", str(folder))).read_text()


@pytest.fixture
def ask(store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return a function that calls `rotlab report` and returns status, output and errors."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = main(["report", *arguments, "--store", str(store)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_the_page_is_written_where_asked_and_replaces_an_older_one(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text("older")
    status, out, err = ask("small", "-o", str(path))
    assert (status, out, err) == (0, f"{path}\n", "")
    text = path.read_text()
    assert "Rotation pretraining helps: " in text
    assert "rotation-2, failed: ValueError: no" in text
    assert "curve-finetune-loss" in text
    assert list(tmp_path.iterdir()) == [path]


def test_the_page_goes_into_mlflow_and_no_file_is_written_unless_asked(
    ask: Ask, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = ask("small", "--to-mlflow")
    assert (status, err) == (0, "")
    assert "report.html of the run of small in MLflow" in out
    assert list(tmp_path.iterdir()) == []
    assert "Rotation pretraining helps: " in in_mlflow(store, tmp_path)
    (tmp_path / "report.html").unlink()
    assert ask("small", "--to-mlflow", "-o", "mine.html")[1] == "mine.html\n"
    assert in_mlflow(store, tmp_path) == Path("mine.html").read_text()


def test_at_the_end_of_a_run_its_page_is_put_into_mlflow_unless_it_is_not_to_be(
    store: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = tmp_path / "store"
    shutil.copytree(store, whole)
    with sqlite3.connect(whole / "mlflow.db") as database:
        database.execute("update experiments set artifact_location = ?", (f"{whole}/artifacts",))
        database.execute("update runs set artifact_uri = ? || run_uuid", (f"{whole}/artifacts/",))
    job = make_job(replace(make_plan([make_stage("count", name="a")]), name="small"), whole)
    happens = {"is so": False}

    def run(job: Job, *_: object) -> int:
        if happens["is so"]:
            journal = Journal(job.store.journal_path("small"))
            journal.append({"event": "study_ended", "time": 1.0, "state": "FINISHED"})
            journal.close()
        return 0

    monkeypatch.setattr(concluding, "run_job", run)
    assert concluding.run_to_end(job, report=True) == 0  # there was nothing to do
    happens["is so"] = True
    assert concluding.run_to_end(job, report=False) == 0
    pages = list(whole.glob("artifacts/*/artifacts/report.html"))
    assert not [*pages, *whole.glob("artifacts/*/report.html")]
    assert concluding.run_to_end(job, report=True) == 0
    assert capsys.readouterr().out == ""
    assert "Rotation pretraining helps: " in in_mlflow(whole, tmp_path)
    (whole / "mlflow.db").unlink()
    assert concluding.run_to_end(job, report=True) == 0
    assert "warning: MLflow has no report of small: error: " in capsys.readouterr().out


@pytest.mark.parametrize(("artifacts", "left_out"), [("none", True), ("small", False)])
def test_a_run_that_puts_no_file_into_mlflow_puts_no_frame_of_a_video_there_by_its_page(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    artifacts: Artifacts,
    *,
    left_out: bool,
) -> None:
    job = make_job(make_plan([make_stage("count", name="a")]), tmp_path, artifacts=artifacts)
    asked: list[list[str]] = []

    def note(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    def run(job: Job, *_: object) -> int:
        job.store.journal_path("lab").parent.mkdir(parents=True)
        journal = Journal(job.store.journal_path("lab"))
        journal.append({"event": "study_ended", "time": 1.0, "state": "FINISHED"})
        journal.close()
        return 0

    monkeypatch.setattr(concluding, "run_job", run)
    monkeypatch.setattr(subprocess, "run", note)
    assert concluding.run_to_end(job, report=True) == 0
    assert ["--no-attention" in command for command in asked] == [left_out]


@pytest.mark.slow
def test_a_page_that_follows_is_written_anew_when_something_changes_and_ends_with_one_line(
    store: Path, tmp_path: Path
) -> None:
    shutil.copy(store / "mlflow.db", tmp_path / "mlflow.db")
    uri, path = f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "small.html"
    command = [sys.executable, "-m", "rotlab.cli", "report", "small", "--watch", "--every", "2"]
    command += ["--store", str(store), "--tracking-uri", uri, "-o", str(path)]
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)  # noqa: S603
    try:
        wait_for(path.exists)
        first = path.read_text()
        assert 'data-every="2"' in first
        time.sleep(5)
        assert path.read_text() == first  # nothing has changed
        (run, *_) = read_stages("small", uri)
        open_client(uri).log_metric(run.run_id, "system/cpu_utilization_percentage", 99.0)
        time.sleep(5)
        assert path.read_text() == first  # nothing that it shows
        open_client(uri).log_metric(run.run_id, "loss", 7.25, step=9)
        wait_for(lambda: path.read_text() != first)
        assert "7.25" in path.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert process.returncode == 0
    lines = (tmp_path / "said").read_text().splitlines()
    told = [line for line in lines[1:] if not line.endswith("looked for again")]  # it was locked
    assert told == [f"{path} is as of now, and follows no more"]
    assert "data-every" not in path.read_text().split("<main>")[0]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mlflow.db", "said", "small.html"]


def wait_for(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["small", "--watch", "--to-mlflow"], "--watch writes a file: give -o FILE as well"),
        (["small", "--watch", "--every", "soon"], "must be a number of seconds, 0 or more"),
        (["smal"], "unknown study 'smal'; did you mean 'small'?"),
        (["small", "-o", "nowhere/report.html"], "nowhere does not exist: make it"),
        (["small", "-o", "."], ". is a folder: name a file with -o"),
    ],
)
def test_what_cannot_be_written_is_one_line_and_status_2(
    ask: Ask, arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = ask(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_stages_and_their_curves_are_read_from_mlflow_alone(store: Path) -> None:
    uri = f"sqlite:///{store}/mlflow.db"
    stages = read_stages("small", uri)
    by_key = {one.key: one for one in stages}
    assert [one.state for one in stages].count("FINISHED") == 6
    assert (by_key["scratch-0"].state, by_key["rotation-2"].state) == ("REUSED", "FAILED")
    assert by_key["rotation-2"].error.endswith("ValueError: no")
    assert by_key["rotation-1"].seconds == 36.0
    curves = read_curves(uri, stages[:2], ("loss", "accuracy", "absent"))
    assert [list(held) for held in curves.values()] == [["loss"], ["loss"]]
    [first, *_] = curves.values()
    assert first["loss"][:2] == ((1, 1.0), (2, 0.5))
    with pytest.raises(TrackingError, match="holds no study 'other'"):
        read_stages("other", uri)
