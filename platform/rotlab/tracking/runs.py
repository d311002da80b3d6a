"""A study's runs as MLflow holds them, column by column. No MLflow, clock or disk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from rotlab.tracking.costs import COSTS_TAG

TYPE, STUDY, STAGE, CELL = "rotlab.type", "study", "stage", "cell"
TAGS = {
    TYPE: "type",
    "rotlab.key": "key",
    "rotlab.kind": "kind",
    "rotlab.state": "state",
    "rotlab.parents": "parents",
    "rotlab.error": "error",
    COSTS_TAG: "costs",
}
STAGE_METRICS = ("seconds", "gpu_hours")  # of a stage only its cost is of use to results
METRIC = "metric:"  # stands before the name of a column that is a metric

Which = Literal["cells", "all"]  # whose runs are read: the cells', or the stages' as well
Info = tuple[str, str, int | None, int | None]  # run id, status, start and end in milliseconds
Tag = tuple[str, str, str | None]  # run id, key, value
Value = tuple[str, str, float]  # run id, metric, its last value


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run, with all it holds but the history of its metrics."""

    run_id: str
    start_ms: int
    end_ms: int | None
    tags: dict[str, str]
    metrics: dict[str, float]
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class StudyRuns:
    """What MLflow holds of a study.

    Args:
        tags: of the study's own run.
        runs: a row for each of the runs of its cells, and of its stages where they were read:
            run_id, status, start_ms, end_ms (NaN where there is none), the columns named in `TAGS`,
            and a column for each metric.
    """

    tags: Mapping[str, str]
    runs: pd.DataFrame

    def of_type(self, wanted: str) -> pd.DataFrame:
        """Return the stages' or the cells' runs, one for each key: the one that began last."""
        found = self.runs[self.runs["type"] == wanted]
        found = found.sort_values("start_ms", kind="stable", ascending=False)
        return found.drop_duplicates("key").reset_index(drop=True)


def tabulate(
    infos: Iterable[Info], tags: Iterable[Tag], values: Iterable[Value], study_tags: Iterable[Tag]
) -> StudyRuns:
    """Return runs as columns.

    Args:
        infos: of cells, or of stages and cells.
        tags: of those, at least those that `TAGS` names.
        values: of those.
        study_tags: of the study's own run.
    """
    runs = pd.DataFrame(list(infos), columns=["run_id", "status", "start_ms", "end_ms"])
    runs = runs.astype({"start_ms": float, "end_ms": float, "run_id": object, "status": object})
    index = {run_id: row for row, run_id in enumerate(runs["run_id"])}
    columns: dict[str, list[Any]] = {name: [None] * len(runs) for name in TAGS.values()}
    for run_id, key, text in tags:
        if key in TAGS and run_id in index:
            columns[TAGS[key]][index[run_id]] = text
    metrics = _spread(values, index)
    frame = pd.concat([runs, pd.DataFrame(columns, dtype=object), metrics], axis=1)
    return StudyRuns({key: text or "" for _, key, text in study_tags}, frame)


def merged(held: pd.DataFrame, dropped: Iterable[str], read: pd.DataFrame) -> pd.DataFrame:
    """Return held runs without those dropped or read anew, and those read."""
    gone = {*dropped, *read["run_id"]}
    kept = held[~held["run_id"].isin(list(gone))]
    parts = [part for part in (kept, read) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else read


def _spread(values: Iterable[Value], index: Mapping[str, int]) -> pd.DataFrame:
    known = [value for value in values if value[0] in index]
    names = sorted({name for _, name, _ in known})
    column = {name: number for number, name in enumerate(names)}
    table = np.full((len(index), len(names)), np.nan)
    rows = [index[run_id] for run_id, _, _ in known]
    table[rows, [column[name] for _, name, _ in known]] = [number for _, _, number in known]
    return pd.DataFrame(table, columns=[METRIC + name for name in names])
