"""Arms over many data sets: mean ranks, Friedman's test and Nemenyi's critical difference.

After Demšar (JMLR 7, 2006). Only from five data sets on: of fewer, ranks say next to nothing.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from rotlab.reporting.statistics import CONFIDENCE

FEWEST_SETS = 5


@dataclass(frozen=True, slots=True)
class Ranking:
    """Arms by rank over data sets.

    Args:
        mean_ranks: of each arm, 1 the best.
        sets: how many data sets.
        p: Friedman's; None for two arms, where it is no test of its own.
        critical: two mean ranks that lie further apart differ (Nemenyi, 5 %).
    """

    mean_ranks: tuple[float, ...]
    sets: int
    p: float | None
    critical: float


def ranking(values: NDArray[np.float64], *, higher_is_better: bool = True) -> Ranking | None:
    """Return how arms rank over data sets; None below five of them, or for one arm.

    Args:
        values: (sets, arms), each arm's mean on each set; sets with a NaN are left out.
        higher_is_better: whether rank 1 is the highest value.
    """
    whole = values[~np.isnan(values).any(axis=1)]
    sets, arms = whole.shape
    if sets < FEWEST_SETS or arms < 2:
        return None
    ranks = stats.rankdata(-whole if higher_is_better else whole, axis=1)
    p = float(stats.friedmanchisquare(*whole.T).pvalue) if arms > 2 else None
    quantile = float(stats.studentized_range.ppf(CONFIDENCE, arms, np.inf))
    critical = quantile / math.sqrt(2) * math.sqrt(arms * (arms + 1) / (6 * sets))
    return Ranking(tuple(ranks.mean(axis=0).tolist()), sets, p, critical)
