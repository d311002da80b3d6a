"""What each cell cost, as columns of results: from its own run, or from those of its stages."""

import numpy as np
import pandas as pd

from rotlab.tracking.costs import read_costs
from rotlab.tracking.query import STAGES, Results, parsed
from rotlab.tracking.runs import CELL, METRIC, STAGE, STAGE_METRICS, StudyRuns

COSTS = ("cost.seconds", "cost.shared_seconds", "cost.gpu_hours", "cost.shared_gpu_hours")
_COST_OF = {"seconds": COSTS[:2], "gpu_hours": COSTS[2:]}


def with_costs(frame: pd.DataFrame, study: Results) -> pd.DataFrame:
    """Return a study's cells with what their stages took, in the columns `COSTS` before "stages".

    Seconds and, where MLflow has them, GPU-hours: of the stages that this cell alone needs, and of
    those that other cells of the study need as well, whole, in each of these cells. NaN where
    MLflow does not know what one of them took.
    """
    costs = _costs(study.found)
    needed = pd.Series([key for one in frame[STAGES] if one for key in one], dtype=object)
    shared = set(needed[needed.duplicated()])
    frame = frame.copy()
    for metric, columns in _COST_OF.items():
        known = costs[metric]
        if not known:
            continue
        for name, is_shared in zip(columns, (False, True), strict=True):
            taken = [
                np.nan
                if one is None
                else sum(known.get(key, np.nan) for key in one if (key in shared) is is_shared)
                for one in frame[STAGES]
            ]
            frame.insert(list(frame.columns).index(STAGES), name, np.array(taken, dtype=float))
    return frame


def tells_costs(study: Results) -> bool:
    """Say whether the runs that were read tell what the stages behind every planned cell took.

    Cells' runs that an earlier version wrote do not.
    """
    cells = study.found.of_type(CELL)
    untold = cells.loc[cells["parents"].notna() & cells["costs"].isna(), "key"]
    planned = {cell.key for cell in study.roster.cells}
    return planned.isdisjoint(untold.str.removeprefix("cell:"))


def _costs(found: StudyRuns) -> dict[str, dict[str, float]]:
    """Return metric -> stage -> what it took; where the stages' runs were read, as these say."""
    costs: dict[str, dict[str, float]] = {metric: {} for metric in STAGE_METRICS}
    cells = found.of_type(CELL)
    for told, parents in zip(parsed(cells["costs"]), parsed(cells["parents"]), strict=True):
        if told is not None and parents is not None:
            for metric, stage, taken in read_costs(told, parents):
                costs[metric][stage] = taken
    stages = found.of_type(STAGE)
    for metric in STAGE_METRICS:
        if METRIC + metric not in stages:
            continue
        known = stages[stages[METRIC + metric].notna()]
        keys = known["key"].str.removeprefix("stage:")
        costs[metric] |= dict(zip(keys, known[METRIC + metric], strict=True))
    return costs
