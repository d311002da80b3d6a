"""Repeated random splits, whose training sets overlap: Nadeau and Bengio's corrected t-test.

For one training on each of J random splits. Values of overlapping training sets hang together, so
the variance of their mean is (1/J + test/train) s², not s²/J (Machine Learning 52, 2003).
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from rotlab.reporting.statistics import CONFIDENCE, FEWEST, Difference, p_value


def resampled(differences: Sequence[float], test_share: float) -> Difference:
    """Return the mean of differences within random splits, and how far to trust it.

    Args:
        differences: one for each split: the two arms are paired by it, as they are judged on the
            same videos.
        test_share: of the videos that each split tests on, between 0 and 1.

    Raises:
        ValueError: if there are no differences, or the share is not between 0 and 1.
    """
    if not differences:
        raise ValueError("a mean needs at least one value, got none")
    if not 0 < test_share < 1:
        raise ValueError(f"the share of test videos must be between 0 and 1, got {test_share}")
    splits = len(differences)
    mean, n = float(np.mean(differences)), (splits, splits)
    if splits == 1 or np.ptp(differences) == 0:
        return Difference(mean, n, None, None, how="resampled")
    sd = float(np.std(differences, ddof=1))
    error = sd * math.sqrt(1 / splits + test_share / (1 - test_share))
    half = float(stdtrit(splits - 1, 0.5 + CONFIDENCE / 2)) * error
    p = float(p_value(mean / error, splits - 1)) if splits >= FEWEST else None
    return Difference(mean, n, mean - half, mean + half, p, splits - 1, how="resampled")
