import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import rotlab
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, Stage
from rotlab.tracking.client import open_client
from rotlab.tracking.journal import Journal
from rotlab.tracking.query import frame_of, read
from rotlab.tracking.spending import tells_costs, with_costs
from rotlab.tracking.tracker import Tracker
from rotnet.config import ScoreConfig
from rotnet.errors import UserError


def _plan(name: str, axis: str) -> Plan:
    """Return a study of two cells, which share the stage `base`."""
    stages = {key: Stage(key, "evaluate", ScoreConfig()) for key in ("base", "own-0", "own-1")}
    cells = tuple(
        Cell(
            {axis: value}, "demo", {"seed": 0}, "finetune", f"own-{value}", ("base", f"own-{value}")
        )
        for value in (0, 1)
    )
    return Plan(name, f"Why {name}?", (axis,), cells, stages)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with the studies `left` and `right`; the last cell of each has failed."""
    store = tmp_path_factory.mktemp("store")
    open_client(f"sqlite:///{store}/mlflow.db")
    _track(_plan("left", "a.depth"), store)
    _track(_plan("right", "b.width"), store)
    return store


def _track(plan: Plan, store: Path) -> None:
    journal = Journal(store / "studies" / plan.name / "journal.jsonl")
    tracker = Tracker(plan, journal, f"sqlite:///{store}/mlflow.db")
    tracker.start()
    tracker.record({"event": "study_started", "time": 1.0})
    ended = {"event": "stage_ended", "state": "FINISHED"}
    tracker.record(ended | {"time": 2.0, "key": "base", "seconds": 100.0})
    well = {"metrics": {"accuracy": 0.5}, "seconds": 10.0}
    tracker.record(ended | {"time": 3.0, "key": "own-0", **well})
    tracker.record(ended | {"time": 4.0, "key": "own-1", "state": "FAILED", "error": "No."})
    assert tracker.close(120) == 0
    journal.close()


@pytest.fixture
def ask(store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pd.DataFrame]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return lambda *studies, **more: rotlab.results(*studies, store=str(store), **more)


def test_a_cell_costs_its_own_stages_and_those_that_it_shares_are_told_apart(
    ask: Callable[..., pd.DataFrame],
) -> None:
    frame = ask("left")
    assert frame["cost.shared_seconds"].tolist() == [100.0, 100.0]
    own = frame["cost.seconds"].tolist()
    assert own[0] == 10.0
    assert math.isnan(own[1])
    assert list(frame.columns)[-3:] == ["cost.seconds", "cost.shared_seconds", "stages"]
    assert "cost.gpu_hours" not in frame


def test_a_cell_costs_the_same_by_its_own_run_and_by_those_of_its_stages(
    store: Path, tmp_path: Path
) -> None:
    shutil.copytree(store, tmp_path / "store")
    uri = f"sqlite:///{tmp_path}/store/mlflow.db"
    by_cells = read("left", uri)
    assert set(by_cells.found.runs["type"]) == {"cell"}
    frame = rotlab.results("left", tracking_uri=uri)
    pd.testing.assert_frame_equal(with_costs(frame_of(by_cells), by_cells), frame)
    _forget_costs(uri)
    assert not tells_costs(read("left", uri))
    pd.testing.assert_frame_equal(rotlab.results("left", tracking_uri=uri), frame)


def _forget_costs(uri: str) -> None:
    """Make a cell's run as earlier versions wrote it."""
    client = open_client(uri)
    experiment = client.get_experiment_by_name("left")
    assert experiment is not None
    [run, *_] = client.search_runs([experiment.experiment_id], "tags.`rotlab.type` = 'cell'")
    client.delete_tag(run.info.run_id, "rotlab.costs")


def test_several_studies_are_one_frame_with_all_axes(ask: Callable[..., pd.DataFrame]) -> None:
    frame = ask("left", "right", "left")
    assert frame["study"].tolist() == ["left", "left", "right", "right"]
    assert frame["a.depth"].tolist() == [0, 1, None, None]
    assert frame["b.width"].tolist() == [None, None, 0, 1]
    assert frame["accuracy"].dtype == float
    assert str(frame["seed"].dtype) == "Int64"
    assert frame.attrs == {
        "axes": ["study", "a.depth", "b.width"],
        "metrics": ["accuracy"],
        "question": "Why left? Why right?",
        "baseline": {},
        "looks": {},
    }
    assert ask("left", "right", where="width == 0 or depth == 0")["study"].tolist() == [
        "left",
        "right",
    ]


def test_other_peoples_numbers_stand_below_the_cells_whatever_the_filter(
    ask: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    path = tmp_path / "others.csv"
    path.write_text("depth,target,accuracy,source\n9,demo,0.629,a paper\n")
    frame = ask("left", where="depth == 0", beside=path)
    assert frame["a.depth"].tolist() == [0, 9]
    assert frame["source"].tolist() == [None, "a paper"]
    assert frame["cost.seconds"].isna().tolist() == [False, True]


def test_the_history_tells_what_became_of_each_stage(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    frame = rotlab.history("left", store=str(store))
    assert frame["key"].tolist() == ["base", "own-0", "own-1"]
    assert frame["state"].tolist() == ["FINISHED", "FINISHED", "FAILED"]
    assert frame["error"].tolist() == [None, None, "No."]
    assert frame["cells"].tolist() == [2, 1, 1]
    assert frame["seconds"].tolist()[:2] == [100.0, 10.0]


def test_what_others_write_between_two_queries_is_seen(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "store")
    uri = f"sqlite:///{tmp_path}/store/mlflow.db"
    before = rotlab.results("left", tracking_uri=uri)
    pd.testing.assert_frame_equal(rotlab.results("left", tracking_uri=uri), before)
    client = open_client(uri)
    experiment = client.get_experiment_by_name("left")
    assert experiment is not None
    cells = client.search_runs([experiment.experiment_id], "tags.`rotlab.type` = 'cell'")
    [good] = [run.info.run_id for run in cells if run.info.status == "FINISHED"]
    client.log_metric(good, "late", 0.75)
    client.set_tag(good, "rotlab.state", "KILLED")
    after = rotlab.results("left", tracking_uri=uri)
    assert (after["late"][0], after["state"][0]) == (0.75, "KILLED")
    client.delete_run(good)
    assert rotlab.results("left", tracking_uri=uri)["state"].tolist() == ["MISSING", "FAILED"]


def test_no_study_is_refused(ask: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(UserError, match="no study named"):
        ask()


def test_a_study_without_cells_or_results_is_a_frame_all_the_same(
    ask: Callable[..., pd.DataFrame], store: Path
) -> None:
    _track(replace(_plan("empty", "c"), cells=()), store)
    frame = ask("empty", "left")
    assert set(frame["study"]) == {"left"}


def test_importing_rotlab_imports_neither_pandas_nor_mlflow() -> None:
    code = "import rotlab, sys; sys.exit(bool({'pandas', 'mlflow', 'pyarrow'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
    with pytest.raises(AttributeError, match="has no attribute 'result'"):
        _ = rotlab.result
