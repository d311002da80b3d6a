"""A study's results, read from MLflow alone."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rotlab.planning.space.names import unknown
from rotlab.tracking.cache import Cache
from rotlab.tracking.database import Database
from rotlab.tracking.following import follow_database, follow_server
from rotlab.tracking.roster import BASELINE_TAG, LOOKS_TAG, NULL, PlannedCell, Roster, read_roster
from rotlab.tracking.runs import CELL, METRIC, STAGE, StudyRuns, Which
from rotlab.tracking.uri import TrackingError, check_tracking_uri, is_server, sqlite_path

MISSING = "MISSING"
STAGES = "stages"


@dataclass(frozen=True, slots=True)
class Results:
    """A study as MLflow knows it.

    Args:
        name: the study's.
        question: that it asks.
        baseline: axis -> value, around which axes vary one at a time; empty where there is none.
        looks: at which seeds were added, as `rotlab.tracking.roster.looks_of` has it; else empty.
        roster: the cells that it plans.
        found: its cells' runs, and its stages' where they were asked for.
    """

    name: str
    question: str
    baseline: dict[str, Any]
    looks: dict[str, Any]
    roster: Roster
    found: StudyRuns


def results(study: str, uri: str, *, fresh: bool = False) -> pd.DataFrame:
    """Return the cells that a study plans, one a row, with what is known of each.

    Args:
        study: its name.
        uri: MLflow's tracking URI.
        fresh: whether all is read, though what was read before may do.

    Returns:
        Columns: the axes, in the order of the search space, with the values they have there (None
        where no stage of the cell reads the axis, the text "none" for null); target; seed and split
        (Int64, <NA> where there is none); measure; state (FINISHED, REUSED, FAILED, KILLED or
        CANCELLED, and MISSING where nothing is known yet); metrics by name (NaN where there are
        none); and last "stages", the keys of all stages behind a cell, which say what cells share
        (None where it has no run). Where stage kinds have seeds of their own, columns such as
        "seed.pretrain" stand behind split. `attrs` holds the study's "question", the "baseline"
        around which axes vary one at a time (axis -> value, empty where there is none), the "looks"
        at which seeds were added (empty where all arms have all), and the
        names of the columns that are "axes" and "metrics".

    Raises:
        TrackingError: if MLflow cannot be read, or holds no such study.
    """
    return frame_of(read(study, uri, fresh=fresh))


def read(study: str, uri: str, *, fresh: bool = False, stages: bool = False) -> Results:
    """Return what MLflow holds of a study; see `rotlab.tracking.following` for how new that is.

    Args:
        study: its name.
        uri: MLflow's tracking URI.
        fresh: whether all is read, though what was read before may do.
        stages: whether the stages' runs are read as well as the cells'.

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
    found = _follow(study, uri, "all" if stages else "cells", fresh=fresh)
    try:
        roster = read_roster(found.tags)
    except (KeyError, ValueError) as error:
        raise TrackingError(
            f"study {study!r} in MLflow lacks a part of the list of its cells ({error}); "
            "`rotlab run` writes it anew"
        ) from error
    return Results(
        study,
        found.tags.get("rotlab.question", ""),
        json.loads(found.tags.get(BASELINE_TAG, "{}")),
        json.loads(found.tags.get(LOOKS_TAG, "{}")),
        roster,
        found,
    )


def frame_of(study: Results) -> pd.DataFrame:
    """Return a study's cells as `results` describes them."""
    cells, runs = study.roster.cells, study.found.of_type(CELL)
    rows = pd.Index(runs["key"].str.removeprefix("cell:")).get_indexer(
        pd.Index([cell.key for cell in cells])
    )
    names = sorted(name for name in runs.columns if name.startswith(METRIC))
    table = _taken(runs[names].to_numpy(dtype=float), rows)
    used = ~np.isnan(table).all(axis=0) if len(table) else np.zeros(len(names), bool)
    metrics = {
        name.removeprefix(METRIC): table[:, number]
        for number, name in enumerate(names)
        if used[number]
    }
    seeds = dict.fromkeys(("seed", "split", *(name for cell in cells for name in cell.replicate)))
    states = runs["state"].where(runs["state"].notna(), runs["status"]).tolist()
    parents = [None if one is None else tuple(one) for one in parsed(runs["parents"])]
    columns = {
        **{axis: _objects([_value(cell, axis) for cell in cells]) for axis in study.roster.axes},
        "target": _objects([cell.target for cell in cells]),
        **{
            name: pd.array([cell.replicate.get(name) for cell in cells], dtype="Int64")
            for name in seeds
        },
        "measure": _objects([cell.measure for cell in cells]),
        "state": _objects([MISSING if row < 0 else states[row] for row in rows]),
        **metrics,
        STAGES: _objects([None if row < 0 else parents[row] for row in rows]),
    }
    frame = pd.DataFrame(columns)
    frame.attrs = {
        "axes": list(study.roster.axes),
        "metrics": list(metrics),
        "question": study.question,
        "baseline": {axis: NULL if one is None else one for axis, one in study.baseline.items()},
        "looks": study.looks,
    }
    return frame


def history(study: Results) -> pd.DataFrame:
    """Return what became of each stage that was begun, as far as MLflow holds it.

    Args:
        study: read with its stages' runs.

    Returns:
        Columns: key, kind, state, began and ended (UTC), seconds of the last attempt, error (of the
        last that failed), cells (how many of those planned need it).
    """
    stages = study.found.of_type(STAGE)
    cells = study.found.of_type(CELL)
    planned = {cell.key for cell in study.roster.cells}
    needed = pd.Series(
        [
            stage
            for key, parents in zip(cells["key"], parsed(cells["parents"]), strict=True)
            if str(key).removeprefix("cell:") in planned
            for stage in parents or ()
        ],
        dtype=object,
    ).value_counts()
    keys = stages["key"].str.removeprefix("stage:")
    seconds = METRIC + "seconds"
    return pd.DataFrame(
        {
            "key": keys,
            "kind": stages["kind"],
            "state": stages["state"].where(stages["state"].notna(), stages["status"]),
            "began": pd.to_datetime(stages["start_ms"], unit="ms", utc=True),
            "ended": pd.to_datetime(stages["end_ms"], unit="ms", utc=True),
            "seconds": stages.get(seconds, np.nan),
            "error": stages["error"],
            "cells": keys.map(needed).fillna(0).astype(int),
        }
    ).sort_values("began", ignore_index=True)


def parsed(texts: Iterable[str | None]) -> list[Any]:
    """Return what each of many JSON texts says, None where there is none: in one call, so fast."""
    return json.loads(f"[{','.join('null' if text is None else text for text in texts)}]")


def _follow(study: str, uri: str, which: Which, *, fresh: bool) -> StudyRuns:
    cache = Cache.of(uri, study, which)
    if is_server(uri):
        from rotlab.tracking.server import Server  # MLflow, which takes a second to import

        server = Server(uri, which)
        held = cache.load()
        now = follow_server(server, study, None if fresh else held)
        names = server.studies
    else:
        database = Database(uri, which)
        held = cache.load() if sqlite_path(uri) is not None else None
        now = follow_database(database, study, None if fresh else held)
        names = database.studies
    if now is None:
        raise _unknown(study, names(), uri)
    if now is not held and (now.stamp is not None or now.experiment is not None):
        cache.save(now)
    return now.found


def _unknown(study: str, names: Sequence[str], uri: str) -> TrackingError:
    if not names:
        return TrackingError(f"no results of {study!r}: MLflow at {uri} holds no study yet")
    return TrackingError(f"{unknown('study', study, names)}; looked in MLflow at {uri}")


def _objects(values: Sequence[Any]) -> pd.Series:
    return pd.Series(values, dtype=object)


def _taken(table: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the rows of a table by number, NaN for number -1."""
    with_none = np.vstack([table, np.full((1, table.shape[1]), np.nan)])
    return with_none[rows]


def _value(cell: PlannedCell, axis: str) -> Any:  # noqa: ANN401  # plain values of any sort
    return NULL if axis in cell.arm and cell.arm[axis] is None else cell.arm.get(axis)
