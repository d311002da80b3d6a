"""How many seeds a question needs, and what the seeds there are can find."""

import math

import numpy as np
from scipy.special import nctdtr, stdtrit

POWER = 0.8
LEVEL = 0.05
MOST = 1000  # seeds; beyond them the question is another one


def seeds_needed(difference: float, sd: float, level: float = LEVEL) -> int | None:
    """Return how many seeds an arm find a difference in four of five studies; None above 1000.

    Two-sided t-test of two arms of equal spread and size. For a difference of one standard
    deviation it is 17.

    Args:
        difference: the least that would matter, above 0. Not the one that was found: a study that
            found little would then always seem to have been too small.
        sd: between seeds, above 0.
        level: of the test; 0.05 / m for the strictest of m by Holm.

    Raises:
        ValueError: if either is not above 0.
    """
    if difference <= 0 or sd <= 0:
        raise ValueError(f"difference and sd must be above 0, got {difference} and {sd}")
    low, high = 1, 2
    while power(difference, sd, high, level) < POWER:
        low, high = high, high * 2
        if low >= MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        found = power(difference, sd, middle, level) >= POWER
        low, high = (low, middle) if found else (middle, high)
    return high if high <= MOST else None


def findable(sd: float, seeds: int, level: float = LEVEL) -> float:
    """Return the least difference that so many seeds an arm, at least 2, find in four of five."""
    low, high = 0.0, sd
    while power(high, sd, seeds, level) < POWER:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, sd, seeds, level) >= POWER else (middle, high)
    return high


def power(difference: float, sd: float, seeds: int, level: float = LEVEL) -> float:
    """Return the chance that a two-sided t-test of two arms finds a true difference.

    By the noncentral t distribution, as statsmodels' TTestIndPower has it.
    """
    if seeds < 2:
        return 0.0
    freedom = 2 * (seeds - 1)
    shift = difference / sd * math.sqrt(seeds / 2)
    limit = float(stdtrit(freedom, 1 - level / 2))
    # NaN far from the middle, where the chance of less than the limit is nil.
    below, above = np.nan_to_num([nctdtr(freedom, shift, side) for side in (-limit, limit)])
    return float(below + 1 - above)
