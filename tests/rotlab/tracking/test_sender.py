import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from rotlab.planning.plan.plan import Plan
from rotlab.tracking import sender as sender_module
from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Event, Journal
from rotlab.tracking.mlflow_runs import StudyRuns
from rotlab.tracking.position import read_position
from rotlab.tracking.run_write import RunWrite
from rotlab.tracking.sender import Sender
from tests.rotlab.tracking.story import events_of, held, runs_of


@pytest.fixture
def plan(study: Callable[..., Plan]) -> Plan:
    """Return a plan of few runs: writing one takes some milliseconds."""
    return study(fusion=False)


def _track(plan: Plan, path: Path, uri: str, events: list[Event]) -> int:
    """Journal events and send them; return how many could not be sent."""
    journal = Journal(path)
    for event in events:
        journal.append(event)
    journal.close()
    with contextlib.suppress(OSError):
        Sender(Errand(plan, path, uri)).send()
    return len(journal.read_from(read_position(path, uri, journal.size())))


class _Dies(StudyRuns):
    """Writes so many times, then fails as a server does that goes away."""

    left = 0

    def apply(self, write: RunWrite) -> None:
        if _Dies.left == 0:
            raise OSError("connection refused")
        _Dies.left -= 1
        super().apply(write)


def test_a_study_reaches_mlflow_whole(plan: Plan, journal: Journal, uri: str) -> None:
    assert _track(plan, journal.path, uri, events_of(plan)) == 0
    runs = runs_of(uri)
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


def test_what_could_not_be_sent_is_sent_by_the_next_start(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _Dies.left = 0
    monkeypatch.setattr(sender_module, "StudyRuns", _Dies)
    assert _track(plan, journal.path, uri, events_of(plan)) > 0
    monkeypatch.undo()
    assert _track(plan, journal.path, uri, []) == 0
    assert len(runs_of(uri)) == 1 + len(plan.stages) + len(plan.cells)


@pytest.mark.parametrize("writes", [1, 6])
def test_a_sender_that_dies_anywhere_leaves_after_a_restart_what_an_undisturbed_one_does(
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
    _track(plan, tmp_path / "calm" / "journal.jsonl", uris[0], events_of(plan))
    _Dies.left = writes
    monkeypatch.setattr(sender_module, "StudyRuns", _Dies)
    assert _track(plan, tmp_path / "broken" / "journal.jsonl", uris[1], events_of(plan)) > 0
    monkeypatch.undo()
    assert _track(plan, tmp_path / "broken" / "journal.jsonl", uris[1], []) == 0
    assert held(uris[1]) == held(uris[0])


def test_a_replay_of_the_whole_journal_changes_nothing(
    plan: Plan, journal: Journal, uri: str
) -> None:
    _track(plan, journal.path, uri, events_of(plan))
    before = held(uri)
    journal.path.with_suffix(".sent").unlink()
    assert _track(plan, journal.path, uri, []) == 0
    assert held(uri) == before


def test_a_restart_sends_only_the_rest(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = events_of(plan)
    _track(plan, journal.path, uri, events[:-1])
    written: list[str] = []

    class Listens(StudyRuns):
        def apply(self, write: RunWrite) -> None:
            written.append(write.key)
            super().apply(write)

    monkeypatch.setattr(sender_module, "StudyRuns", Listens)
    _track(plan, journal.path, uri, events[-1:])
    assert set(written) == {"study:small"}


def test_an_mlflow_that_has_lost_the_study_gets_it_anew(
    plan: Plan, journal: Journal, uri: str, empty_database: Path
) -> None:
    _track(plan, journal.path, uri, events_of(plan))
    before = held(uri)
    Path(uri.removeprefix("sqlite:///")).write_bytes(empty_database.read_bytes())
    assert _track(plan, journal.path, uri, []) == 0
    assert held(uri) == before


def test_cells_that_need_only_old_stages_appear_when_the_plan_grows(
    study: Callable[..., Plan], journal: Journal, uri: str
) -> None:
    whole = study()
    small = Plan(whole.name, whole.question, whole.axes, whole.cells[:3], whole.stages)
    _track(small, journal.path, uri, events_of(small))
    assert len([key for key in runs_of(uri) if key.startswith("cell:")]) == 3
    _track(whole, journal.path, uri, [])
    assert len([key for key in runs_of(uri) if key.startswith("cell:")]) == len(whole.cells)


def test_what_the_environment_says_of_runs_has_no_effect(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0123456789abcdef0123456789abcdef")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "77")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "elsewhere")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert _track(plan, journal.path, uri, events_of(plan)) == 0
    runs = runs_of(uri)
    assert len({run.data.tags.get("mlflow.parentRunId") for run in runs.values()}) == 2


@pytest.mark.slow
def test_a_database_is_made_in_silence_and_nothing_else_is_left(
    plan: Plan, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    (store / ".mlflow.db-dead").mkdir(parents=True)  # left by a driver that died while it made one
    uri = f"sqlite:///{store}/mlflow.db"
    assert _track(plan, store / "study" / "journal.jsonl", uri, events_of(plan)) == 0
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in store.iterdir()) == ["mlflow.db", "study"]
