"""Reading a database that MLflow itself writes."""

import math
import shutil
import sqlite3
from pathlib import Path

import pytest
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from rotlab.tracking.client import open_client
from rotlab.tracking.database import Database
from rotlab.tracking.query import read
from rotlab.tracking.runs import CELL, METRIC, STAGE, StudyRuns
from rotlab.tracking.uri import TrackingError


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return open_client(uri)


@pytest.fixture
def cells(client: MlflowClient) -> list[str]:
    """Return the ids of two cells' runs of the study `small`, which has a stage as well."""
    experiment = client.create_experiment("small")
    for type_, key in (("study", "study:small"), ("stage", "stage:s")):
        tags = {"rotlab.type": type_, "rotlab.key": key, "rotlab.state": "FINISHED"}
        run_id = client.create_run(experiment, tags=tags).info.run_id
        client.log_batch(run_id, [Metric("seconds", 5.0, 1, 0), Metric("loss", 1.0, 1, 0)])
    return [_cell(client, experiment, f"cell:{name}") for name in "ab"]


def _cell(client: MlflowClient, experiment: str, key: str) -> str:
    tags = {"rotlab.type": "cell", "rotlab.key": key, "rotlab.state": "FINISHED"}
    run_id = client.create_run(experiment, tags=tags).info.run_id
    client.log_batch(run_id, [Metric("accuracy", 0.5, 1, 0)])
    client.set_terminated(run_id)
    return run_id


def _read(uri: str) -> StudyRuns:
    found = Database(uri).read("small")
    assert found is not None
    return found


@pytest.mark.usefixtures("cells")
def test_cells_come_with_all_their_metrics_and_stages_with_what_they_cost(uri: str) -> None:
    found = _read(uri)
    [stage] = found.of_type(STAGE).to_dict("records")
    assert (stage["key"], stage[f"{METRIC}seconds"]) == ("stage:s", 5.0)
    assert f"{METRIC}loss" not in found.runs
    assert set(found.of_type(CELL)["key"]) == {"cell:a", "cell:b"}
    assert found.of_type(CELL)[f"{METRIC}accuracy"].tolist() == [0.5, 0.5]
    assert found.tags["rotlab.key"] == "study:small"


def test_every_kind_of_change_is_seen_and_changes_the_stamp(
    uri: str, client: MlflowClient, cells: list[str]
) -> None:
    def accuracies() -> dict[str, tuple[str, float]]:
        runs = _read(uri).of_type(CELL)
        values = zip(runs["state"], runs[f"{METRIC}accuracy"], strict=True)
        return dict(zip(runs["key"], values, strict=True))

    stamps = [Database(uri).stamp()]
    client.log_metric(cells[0], "accuracy", 0.75, step=1)
    stamps.append(Database(uri).stamp())
    assert accuracies()["cell:a"] == ("FINISHED", 0.75)
    client.set_tag(cells[0], "rotlab.state", "KILLED")
    stamps.append(Database(uri).stamp())
    assert accuracies()["cell:a"] == ("KILLED", 0.75)
    client.delete_run(cells[1])
    stamps.append(Database(uri).stamp())
    assert set(accuracies()) == {"cell:a"}
    client.restore_run(cells[1])
    stamps.append(Database(uri).stamp())
    assert set(accuracies()) == {"cell:a", "cell:b"}
    assert len(set(stamps)) == 5
    assert Database(uri).stamp() == stamps[-1]


@pytest.mark.usefixtures("cells")
def test_changes_are_seen_in_a_write_ahead_log_as_well(uri: str) -> None:
    path = uri.removeprefix("sqlite:///")
    with sqlite3.connect(path, isolation_level=None) as writer:
        writer.execute("pragma journal_mode = wal")
        stamps = []
        for number in range(20):
            writer.execute("update latest_metrics set value = ? where key = 'accuracy'", [number])
            stamps.append(Database(uri).stamp())
            assert _read(uri).of_type(CELL)[f"{METRIC}accuracy"].tolist() == [number, number]
        assert len(set(stamps)) == 20
    writer.close()


def test_a_value_that_is_no_number_is_none(
    uri: str, client: MlflowClient, cells: list[str]
) -> None:
    client.log_metric(cells[0], "accuracy", math.nan, step=1)
    values = _read(uri).of_type(CELL).set_index("run_id")[f"{METRIC}accuracy"]
    assert math.isnan(values[cells[0]])


@pytest.mark.usefixtures("cells")
def test_studies_are_known_by_name_until_they_are_deleted(uri: str, client: MlflowClient) -> None:
    assert Database(uri).studies() == ["small"]
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    assert Database(uri).studies() == []
    assert Database(uri).read("small") is None


@pytest.mark.usefixtures("cells")
def test_a_database_that_may_only_be_read_is_read(uri: str, tmp_path: Path) -> None:
    copy = tmp_path / "shared" / "mlflow.db"
    copy.parent.mkdir()
    shutil.copy(uri.removeprefix("sqlite:///"), copy)
    copy.chmod(0o444)
    assert len(_read(f"sqlite:///{copy}").runs) == 3


def test_a_database_of_something_else_is_one_line(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("create table experiments (name text)")
    other.close()
    with pytest.raises(TrackingError, match="database cannot be read: no such table"):
        Database(f"sqlite:///{tmp_path}/other.db").studies()


@pytest.mark.usefixtures("cells")
def test_a_study_whose_list_of_cells_is_not_whole_is_one_line(uri: str) -> None:
    with pytest.raises(TrackingError, match="lacks a part of the list of its cells"):
        read("small", uri)
