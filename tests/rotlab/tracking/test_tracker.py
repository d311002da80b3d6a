import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from rotlab.planning.plan import Plan
from rotlab.tracking import tracker as tracker_module
from rotlab.tracking.client import find_runs, open_client
from rotlab.tracking.journal import Event, Journal
from rotlab.tracking.ledger import RunWrite
from rotlab.tracking.mlflow_runs import StudyRuns
from rotlab.tracking.tracker import Tracker


@pytest.fixture
def plan(study: Callable[..., Plan]) -> Plan:
    """Return a plan of few runs: writing one takes some milliseconds."""
    return study(fusion=False)


def _events(plan: Plan, start: float = 1000.0) -> list[Event]:
    """Return what a study without trouble would journal."""
    events: list[Event] = [{"event": "study_started", "time": start}]
    for number, (key, stage) in enumerate(plan.stages.items()):
        name = "val_accuracy" if stage.kind == "pretrain" else "accuracy"
        now = start + number
        events += [
            {"event": "stage_started", "time": now, "key": key, "attempt": "a"},
            {
                "event": "stage_metrics",
                "time": now + 0.2,
                "key": key,
                "step": 1,
                "metrics": {"loss": 1},
            },
            {
                "event": "stage_metrics",
                "time": now + 0.3,
                "key": key,
                "step": 2,
                "metrics": {"loss": 2},
            },
            {
                "event": "stage_ended",
                "time": now + 0.5,
                "key": key,
                "state": "FINISHED",
                "metrics": {name: number / 100},
                "seconds": 0.5,
            },
        ]
    events.append({"event": "study_ended", "time": start + 50, "state": "FINISHED"})
    return events


def _track(plan: Plan, path: Path, uri: str, events: list[Event]) -> int:
    journal = Journal(path)
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    for event in events:
        tracker.record(event)
    unsent = tracker.close()
    journal.close()
    return unsent


def _runs(uri: str, study: str = "small") -> dict[str, Run]:
    client = open_client(uri)
    experiment = client.get_experiment_by_name(study)
    assert experiment is not None
    runs = list(find_runs(client, experiment.experiment_id))
    counts = Counter(run.data.tags["rotlab.key"] for run in runs)
    assert set(counts.values()) == {1}, f"doubled: {counts}"
    return {run.data.tags["rotlab.key"]: run for run in runs}


def _held(uri: str) -> dict[str, Any]:
    """Return all that MLflow holds of a study, by key, without the ids that it gave."""
    client = MlflowClient(tracking_uri=uri)
    return {
        key: (
            run.info.status,
            run.info.start_time,
            run.info.end_time,
            run.data.params,
            {name: value for name, value in run.data.tags.items() if name != "mlflow.parentRunId"},
            {
                name: sorted(
                    (point.step, point.timestamp, point.value)
                    for point in client.get_metric_history(run.info.run_id, name)
                )
                for name in run.data.metrics
            },
        )
        for key, run in _runs(uri).items()
    }


class _Dies(StudyRuns):
    """Writes so many times, then fails as a server does that goes away."""

    left = 0

    def apply(self, write: RunWrite) -> None:
        if _Dies.left == 0:
            raise OSError("connection refused")
        _Dies.left -= 1
        super().apply(write)


def test_a_study_reaches_mlflow_whole(plan: Plan, journal: Journal, uri: str) -> None:
    assert _track(plan, journal.path, uri, _events(plan)) == 0
    runs = _runs(uri)
    study = runs["study:small"]
    assert len(runs) == 1 + len(plan.stages) + len(plan.cells)
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert {
        run.data.tags["mlflow.parentRunId"] for key, run in runs.items() if key != "study:small"
    } == {study.info.run_id}
    assert (study.info.start_time, study.info.end_time) == (1_000_000, 1_050_000)
    stage = runs["stage:finetune-rotation-rgb-0"]
    assert stage.data.tags["rotlab.parents"] == '{"backbone": "pretrain-rotation-rgb-0"}'
    assert stage.data.params["finetune.lr"] == "0.1"
    history = MlflowClient(tracking_uri=uri).get_metric_history(stage.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 1.0), (2, 2.0)]


def test_recording_does_not_wait_for_a_server_that_does_not_answer(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> StudyRuns:
        time.sleep(0.5)
        raise OSError("no route to host\nand much more")

    monkeypatch.setattr(tracker_module, "StudyRuns", slow)
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    begin = time.monotonic()
    events = _events(plan)
    for event in events:
        tracker.record(event)
    assert time.monotonic() - begin < 0.4
    assert tracker.close(5.0) == len(events)
    assert tracker.problem == "no route to host"
    assert journal.read() == events


def test_a_fault_of_our_own_is_told_and_loses_nothing(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> StudyRuns:
        raise KeyError("surprise")

    monkeypatch.setattr(tracker_module, "StudyRuns", faulty)
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    events = _events(plan)
    for event in events:
        tracker.record(event)
    assert tracker.close(5.0) == len(events)
    assert tracker.problem == "KeyError: 'surprise'"
    assert journal.read() == events


def test_what_could_not_be_sent_is_sent_by_the_next_start(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Dies.left = 0
    monkeypatch.setattr(tracker_module, "StudyRuns", _Dies)
    assert _track(plan, journal.path, uri, _events(plan)) > 0
    monkeypatch.undo()
    assert _track(plan, journal.path, uri, []) == 0
    assert len(_runs(uri)) == 1 + len(plan.stages) + len(plan.cells)


def test_a_server_that_comes_back_gets_everything_from_the_same_driver(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Dies.left = 5
    monkeypatch.setattr(tracker_module, "StudyRuns", _Dies)
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    for event in _events(plan):
        tracker.record(event)
    deadline = time.monotonic() + 10
    while tracker.problem is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert tracker.problem == "connection refused"
    _Dies.left = 1000
    assert tracker.close() == 0
    assert tracker.problem is None
    assert len(_runs(uri)) == 1 + len(plan.stages) + len(plan.cells)


@pytest.mark.parametrize("writes", [1, 6])
def test_a_driver_that_dies_anywhere_leaves_after_a_restart_what_an_undisturbed_one_does(
    plan: Plan,
    tmp_path: Path,
    empty_database: Path,
    monkeypatch: pytest.MonkeyPatch,
    writes: int,
) -> None:
    uris = []
    for name in ("calm", "broken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mlflow.db").write_bytes(empty_database.read_bytes())
        uris.append(f"sqlite:///{tmp_path / name}/mlflow.db")
    _track(plan, tmp_path / "calm" / "journal.jsonl", uris[0], _events(plan))
    _Dies.left = writes
    monkeypatch.setattr(tracker_module, "StudyRuns", _Dies)
    assert _track(plan, tmp_path / "broken" / "journal.jsonl", uris[1], _events(plan)) > 0
    monkeypatch.undo()
    assert _track(plan, tmp_path / "broken" / "journal.jsonl", uris[1], []) == 0
    assert _held(uris[1]) == _held(uris[0])


def test_a_replay_of_the_whole_journal_changes_nothing(
    plan: Plan, journal: Journal, uri: str
) -> None:
    _track(plan, journal.path, uri, _events(plan))
    before = _held(uri)
    journal.path.with_suffix(".sent").unlink()
    assert _track(plan, journal.path, uri, []) == 0
    assert _held(uri) == before


def test_a_restart_sends_only_the_rest(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = _events(plan)
    _track(plan, journal.path, uri, events[:-1])
    written: list[str] = []

    class Listens(StudyRuns):
        def apply(self, write: RunWrite) -> None:
            written.append(write.key)
            super().apply(write)

    monkeypatch.setattr(tracker_module, "StudyRuns", Listens)
    _track(plan, journal.path, uri, events[-1:])
    assert set(written) == {"study:small"}


def test_an_mlflow_that_has_lost_the_study_gets_it_anew(
    plan: Plan, journal: Journal, uri: str, empty_database: Path
) -> None:
    _track(plan, journal.path, uri, _events(plan))
    before = _held(uri)
    Path(uri.removeprefix("sqlite:///")).write_bytes(empty_database.read_bytes())
    assert _track(plan, journal.path, uri, []) == 0
    assert _held(uri) == before


def test_cells_that_need_only_old_stages_appear_when_the_plan_grows(
    study: Callable[..., Plan], journal: Journal, uri: str
) -> None:
    whole = study()
    small = Plan(whole.name, whole.question, whole.axes, whole.cells[:3], whole.stages)
    _track(small, journal.path, uri, _events(small))
    assert len([key for key in _runs(uri) if key.startswith("cell:")]) == 3
    _track(whole, journal.path, uri, [])
    assert len([key for key in _runs(uri) if key.startswith("cell:")]) == len(whole.cells)


def test_what_the_environment_says_of_runs_has_no_effect(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "77")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "elsewhere")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert _track(plan, journal.path, uri, _events(plan)) == 0
    runs = _runs(uri)
    assert len({run.data.tags.get("mlflow.parentRunId") for run in runs.values()}) == 2


@pytest.mark.slow
def test_a_database_is_made_in_silence_and_nothing_else_is_left(
    plan: Plan, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    (store / ".mlflow.db-dead").mkdir(parents=True)  # left by a driver that died while it made one
    uri = f"sqlite:///{store}/mlflow.db"
    assert _track(plan, store / "study" / "journal.jsonl", uri, _events(plan)) == 0
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in store.iterdir()) == ["mlflow.db", "study"]
