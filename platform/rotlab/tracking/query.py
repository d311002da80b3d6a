"""A study's results, read from MLflow alone."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from rotlab.planning.names import unknown
from rotlab.tracking.client import UNREACHABLE, find_experiments, find_runs, open_client
from rotlab.tracking.roster import BASELINE_TAG, NULL, PlannedCell, Roster, read_roster
from rotlab.tracking.uri import TrackingError, check_tracking_uri, sqlite_path

MISSING = "MISSING"


def results(study: str, uri: str) -> pd.DataFrame:
    """Return the cells that a study plans, one a row, with what is known of each.

    Args:
        study: its name.
        uri: MLflow's tracking URI.

    Returns:
        Columns: the axes, in the order of the search space, with the values they have there (None
        where no stage of the cell reads the axis, the text "none" for null); target; seed and split
        (Int64, <NA> where there is none); measure; state (FINISHED, REUSED, FAILED, KILLED or
        CANCELLED, and MISSING where nothing is known yet); metrics by name (NaN where there are
        none). Where stage kinds have seeds of their own, columns such as "seed.pretrain" stand
        behind split. `attrs` holds the study's "question", the "baseline" around which axes vary
        one at a time (axis -> value, empty where there is none), and the names of the columns that
        are "axes" and "metrics".

    Raises:
        TrackingError: if MLflow cannot be read, or holds no such study.
    """
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        raise TrackingError(
            f"no results of {study!r}: {path} does not exist; run the study first, "
            "or say with --store or --tracking-uri where its results lie"
        )
    check_tracking_uri(uri, writing=False)
    try:
        client = open_client(uri)
        own, cells = _read(client, study)
    except UNREACHABLE as error:
        raise TrackingError(
            f"MLflow at {uri} cannot be read: {str(error).splitlines()[0]}"
        ) from error
    if own is None:
        raise _unknown(study, client, uri)
    tags = own.data.tags
    frame = _frame(read_roster(tags), cells)
    baseline = json.loads(tags.get(BASELINE_TAG, "{}"))
    frame.attrs["question"] = tags["rotlab.question"]
    frame.attrs["baseline"] = {axis: NULL if one is None else one for axis, one in baseline.items()}
    return frame


def _read(client: MlflowClient, study: str) -> tuple[Run | None, dict[str, Run]]:
    """Return a study's own run, None if there is no such study, and its cells' runs by key."""
    experiment = client.get_experiment_by_name(study)
    if experiment is None or experiment.lifecycle_stage != "active":
        return None, {}
    own = list(find_runs(client, experiment.experiment_id, "tags.`rotlab.type` = 'study'"))
    if not own:
        return None, {}
    cells = find_runs(client, experiment.experiment_id, "tags.`rotlab.type` = 'cell'")
    return own[0], {run.data.tags["rotlab.key"].removeprefix("cell:"): run for run in cells}


def _unknown(study: str, client: MlflowClient, uri: str) -> TrackingError:
    names = sorted(
        experiment.name
        for experiment in find_experiments(client)
        if _read(client, experiment.name)[0]
    )
    if not names:
        return TrackingError(f"no results of {study!r}: MLflow at {uri} holds no study yet")
    return TrackingError(f"{unknown('study', study, names)}; looked in MLflow at {uri}")


def _frame(roster: Roster, runs: Mapping[str, Run]) -> pd.DataFrame:
    found = {cell.key: runs[cell.key].data.metrics for cell in roster.cells if cell.key in runs}
    metrics = sorted({name for values in found.values() for name in values})
    rows = [
        _row(cell, roster.axes, runs.get(cell.key))
        | {name: found.get(cell.key, {}).get(name) for name in metrics}
        for cell in roster.cells
    ]
    seeds = list(dict.fromkeys(name for cell in roster.cells for name in cell.replicate))
    draws = dict.fromkeys(("seed", "split", *seeds), "Int64")
    columns = [*roster.axes, "target", *draws, "measure", "state", *metrics]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    frame = frame.astype({**draws, **dict.fromkeys(metrics, float)})
    frame.attrs = {"axes": list(roster.axes), "metrics": metrics}
    return frame


def _row(cell: PlannedCell, axes: tuple[str, ...], run: Run | None) -> dict[str, Any]:
    return {
        **{axis: _value(cell, axis) for axis in axes},
        "target": cell.target,
        **cell.replicate,
        "measure": cell.measure,
        "state": MISSING if run is None else run.data.tags["rotlab.state"],
    }


def _value(cell: PlannedCell, axis: str) -> Any:  # noqa: ANN401  # plain values of any sort
    return NULL if axis in cell.arm and cell.arm[axis] is None else cell.arm.get(axis)
