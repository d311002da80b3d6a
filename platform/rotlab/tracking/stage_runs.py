"""A study's stages, read from MLflow alone: what became of each, what it took, how it learnt."""

import json
import math
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rotlab.tracking.client import UNREACHABLE, find_runs, open_client
from rotlab.tracking.database import Database
from rotlab.tracking.runs import RunRow
from rotlab.tracking.uri import TrackingError, is_server

Curve = tuple[tuple[int, float], ...]

_AT_ONCE = 8  # requests to a server


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
    rows = _asked(study, uri) if is_server(uri) else Database(uri).stages(study)
    if rows is None:
        raise TrackingError(f"MLflow at {uri} holds no study {study!r}")
    return sorted(map(_stage_run, rows), key=lambda one: (one.start_ms, one.key))


def read_curves(
    uri: str, runs: Iterable[StageRun], metrics: Iterable[str]
) -> dict[str, dict[str, Curve]]:
    """Return stage key -> metric -> its values by step, of those that have at least two.

    What is no finite number is left out. Of a server each is a request: ask for few.

    Raises:
        TrackingError: if MLflow cannot be read.
    """
    wanted, of = tuple(metrics), {run.run_id: run for run in runs}
    if is_server(uri):
        curves = _asked_curves(uri, of.values(), wanted)
    else:
        curves = Database(uri).curves(tuple(of), wanted)
    found: dict[str, dict[str, Curve]] = {}
    for run_id, run in of.items():
        for metric in wanted:
            by_step = curves.get((run_id, metric), {})
            curve = tuple(point for point in sorted(by_step.items()) if math.isfinite(point[1]))
            if len(curve) > 1:
                found.setdefault(run.key, {})[metric] = curve
    return found


def _asked(study: str, uri: str) -> list[RunRow] | None:
    """What a server says of a study's stages; None: there is no such study."""
    try:
        client = open_client(uri)
        experiment = client.get_experiment_by_name(study)
        if experiment is None:
            return None
        runs = find_runs(client, experiment.experiment_id, "tags.`rotlab.type` = 'stage'")
        return [
            RunRow(
                run.info.run_id,
                run.info.start_time,
                run.info.end_time,
                run.data.tags,
                run.data.metrics,
                run.data.params,
            )
            for run in runs
        ]
    except UNREACHABLE as error:
        raise _unreadable(uri, error) from error


def _asked_curves(
    uri: str, runs: Iterable[StageRun], metrics: Iterable[str]
) -> dict[tuple[str, str], dict[int, float]]:
    """What a server says of metrics by step: several requests at a time."""
    pairs = [(run.run_id, metric) for run in runs for metric in metrics if metric in run.metrics]

    def ask(pair: tuple[str, str]) -> dict[int, float]:
        return {one.step: one.value for one in client.get_metric_history(*pair)}

    try:
        client = open_client(uri)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="curves") as pool:
            return dict(zip(pairs, pool.map(ask, pairs), strict=True))
    except UNREACHABLE as error:
        raise _unreadable(uri, error) from error


def _stage_run(row: RunRow) -> StageRun:
    tags = row.tags
    return StageRun(
        key=tags["rotlab.key"].removeprefix("stage:"),
        kind=tags["rotlab.kind"],
        state=tags["rotlab.state"],
        seconds=row.metrics.get("seconds"),
        start_ms=row.start_ms,
        end_ms=row.end_ms,
        error=tags.get("rotlab.error", ""),
        data=tuple(json.loads(tags.get("rotlab.data", "[]"))),
        run_id=row.run_id,
        metrics=row.metrics,
        params=row.params,
    )


def _unreadable(uri: str, error: Exception) -> TrackingError:
    lines = str(error).splitlines() or [type(error).__name__]
    return TrackingError(f"MLflow at {uri} cannot be read: {lines[0]}")
