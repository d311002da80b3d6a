"""A study's stages and curves are the same read by SQL and asked of MLflow."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.entities import Metric

from rotlab.planning.plan.plan import Plan
from rotlab.tracking import stage_runs
from rotlab.tracking.client import open_client
from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Journal
from rotlab.tracking.rebuild import rebuild
from rotlab.tracking.stage_runs import read_curves, read_stages
from rotlab.tracking.uri import TrackingError
from tests.rotlab.tracking.story import events_of


@pytest.fixture
def told(study: Callable[..., Plan], uri: str, tmp_path: Path) -> str:
    """An MLflow with a study; one curve has a value that is no number, and a step twice."""
    plan, journal = study(), Journal(tmp_path / "small" / "journal.jsonl")
    for event in events_of(plan):
        journal.append(event)
    journal.close()
    rebuild(Errand(plan, journal.path, uri, str(tmp_path / "artifacts")))
    first, second, *_ = read_stages("small", uri)
    client = open_client(uri)
    odd = [Metric("loss", value, 2_000_000, step) for value, step in ((math.nan, 3), (5.0, 4))]
    client.log_batch(first.run_id, [*odd, Metric("loss", 6.0, 3_000_000, 4)])
    client.delete_run(second.run_id)
    return uri


def test_both_ways_to_read_say_the_same(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = read_stages("small", told)
    curves = read_curves(told, stages, ("loss", "accuracy", "absent"))
    assert curves[stages[0].key]["loss"] == ((1, 1.0), (2, 2.0), (4, 6.0))
    monkeypatch.setattr(stage_runs, "is_server", lambda _: True)
    monkeypatch.setattr(stage_runs, "_AT_ONCE", 1)
    assert read_stages("small", told) == stages
    assert read_curves(told, stages, ("loss", "accuracy", "absent")) == curves


@pytest.mark.parametrize("asked", [True, False])
def test_a_study_that_is_not_there_is_named(
    told: str, monkeypatch: pytest.MonkeyPatch, *, asked: bool
) -> None:
    monkeypatch.setattr(stage_runs, "is_server", lambda _: asked)
    with pytest.raises(TrackingError, match="holds no study 'other'"):
        read_stages("other", told)
