"""A study's stages, read from MLflow alone: what became of each, what it took, how it learnt."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlflow.entities import Run

from rotlab.tracking.client import UNREACHABLE, find_runs, open_client
from rotlab.tracking.uri import TrackingError

Curve = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class StageRun:
    """One stage as its run tells it.

    Args:
        key: of the stage.
        kind: of the stage.
        state: such as FINISHED, REUSED or FAILED.
        seconds: that its last attempt took; None where it has not ended well.
        start_ms: when it began, in milliseconds since 1970.
        end_ms: when it ended; None while it runs.
        error: the end of what it failed with, or "".
        data: role:name of its data sets, with the split where there is one.
        run_id: of MLflow.
        metrics: the last values, by name.
        params: its settings by dotted name, as text.
    """

    key: str
    kind: str
    state: str
    seconds: float | None
    start_ms: int
    end_ms: int | None
    error: str
    data: tuple[str, ...]
    run_id: str
    metrics: Mapping[str, float]
    params: Mapping[str, str]


def read_stages(study: str, uri: str) -> list[StageRun]:
    """Return the stages of a study that have a run, in the order in which they began.

    Raises:
        TrackingError: if MLflow cannot be read, or holds no such study.
    """
    try:
        client = open_client(uri)
        experiment = client.get_experiment_by_name(study)
        if experiment is None:
            raise TrackingError(f"MLflow at {uri} holds no study {study!r}")
        runs = find_runs(client, experiment.experiment_id, "tags.`rotlab.type` = 'stage'")
        return sorted(map(_stage_run, runs), key=lambda one: (one.start_ms, one.key))
    except UNREACHABLE as error:
        raise _unreadable(uri, error) from error


def read_curves(
    uri: str, runs: Iterable[StageRun], metrics: Iterable[str]
) -> dict[str, dict[str, Curve]]:
    """Return stage key -> metric -> its values by step, of those that have at least two.

    One request each: ask for few.

    Raises:
        TrackingError: if MLflow cannot be read.
    """
    wanted, found = tuple(metrics), dict[str, dict[str, Curve]]()
    try:
        client = open_client(uri)
        for run in runs:
            for metric in wanted:
                if metric not in run.metrics:
                    continue
                history = client.get_metric_history(run.run_id, metric)
                by_step = {int(one.step): float(one.value) for one in history}
                if len(by_step) > 1:
                    found.setdefault(run.key, {})[metric] = tuple(sorted(by_step.items()))
    except UNREACHABLE as error:
        raise _unreadable(uri, error) from error
    return found


def _stage_run(run: Run) -> StageRun:
    tags, metrics = run.data.tags, run.data.metrics
    return StageRun(
        key=tags["rotlab.key"].removeprefix("stage:"),
        kind=tags["rotlab.kind"],
        state=tags["rotlab.state"],
        seconds=metrics.get("seconds"),
        start_ms=run.info.start_time,
        end_ms=run.info.end_time,
        error=tags.get("rotlab.error", ""),
        data=tuple(json.loads(tags.get("rotlab.data", "[]"))),
        run_id=run.info.run_id,
        metrics=metrics,
        params=run.data.params,
    )


def _unreadable(uri: str, error: Exception) -> TrackingError:
    lines = str(error).splitlines() or [type(error).__name__]
    return TrackingError(f"MLflow at {uri} cannot be read: {lines[0]}")
