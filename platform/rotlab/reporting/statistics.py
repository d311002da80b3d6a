"""Means and differences of independent values, and how far to trust them."""  # noqa: A005  # imported in full

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of n independent values.

    Args:
        mean: of them.
        n: how many.
        sd: their standard deviation (n - 1); None for one value.
        low, high: the confidence interval of the mean; None where it cannot be known, because there
            is but one value or all are equal.
    """

    mean: float
    n: int
    sd: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two means of independent values.

    Args:
        difference: first minus second.
        n: how many values each side has.
        low, high: the confidence interval; None where it cannot be known, because a side has but
            one value or the values of neither side differ.
    """

    difference: float
    n: tuple[int, int]
    low: float | None
    high: float | None


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of independent values with its t interval: of 1, 2, 3 it is 2, [-0.48, 4.48].

    Raises:
        ValueError: if there are no values.
    """
    n = len(values)
    if n == 0:
        raise ValueError("a mean needs at least one value, got none")
    mean = float(np.mean(values))
    if n == 1:
        return Estimate(mean, 1, None, None, None)
    if np.ptp(values) == 0:
        return Estimate(mean, n, 0.0, None, None)
    sd = float(np.std(values, ddof=1))
    half = _quantile(confidence, n - 1) * sd / math.sqrt(n)
    return Estimate(mean, n, sd, mean - half, mean + half)


def welch(
    first: Sequence[float], second: Sequence[float], confidence: float = CONFIDENCE
) -> Difference:
    """Return the difference of two means with Welch's interval: no equal spread, no pairs needed.

    Values are not paired even where both sides have the same seeds: a seed does not make two
    different networks alike.

    Raises:
        ValueError: if a side has no values.
    """
    n = (len(first), len(second))
    if 0 in n:
        raise ValueError(f"a difference needs values on both sides, got {n[0]} and {n[1]}")
    difference = float(np.mean(first) - np.mean(second))
    if 1 in n or np.ptp(first) + np.ptp(second) == 0:
        return Difference(difference, n, None, None)
    of_first, of_second = (
        float(np.var(values, ddof=1)) / len(values) for values in (first, second)
    )
    variance = of_first + of_second
    freedom = variance**2 / (of_first**2 / (n[0] - 1) + of_second**2 / (n[1] - 1))
    half = _quantile(confidence, freedom) * math.sqrt(variance)
    return Difference(difference, n, difference - half, difference + half)


def _quantile(confidence: float, freedom: float) -> float:
    # scipy.stats has this quantile of Student's t too, but takes a second to import.
    return float(stdtrit(freedom, 0.5 + confidence / 2))
