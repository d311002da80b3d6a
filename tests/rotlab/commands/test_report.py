from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.cli import main
from rotlab.planning.plan import Plan
from rotlab.planning.stage import Cell, Stage
from rotlab.tracking.journal import Journal
from rotlab.tracking.stage_runs import read_curves, read_stages
from rotlab.tracking.tracker import Tracker
from rotlab.tracking.uri import TrackingError
from rotnet.config import FinetuneConfig

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
    tracker = Tracker(plan, journal, f"sqlite:///{store}/mlflow.db")
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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
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
