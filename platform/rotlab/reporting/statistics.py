"""Means and differences of independent values, and how far to trust them."""  # noqa: A005  # imported in full

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from rotlab.reporting.spread import Spread, ratio_freedom, spread_of

CONFIDENCE = 0.95
FEWEST = 3  # values a side without which nothing is tested: of two, spread is hardly known

How = Literal["paired", "pooled", "welch", "resampled"]


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
        p: of the two-sided test that there is no difference; None where there is no interval, or a
            side has fewer than three values.
        freedom: degrees of freedom of both; None where there is no interval.
        effect: Hedges' g: in standard deviations of one side, or of the differences where paired,
            corrected for small n; None where those cannot be known.
        how: what the interval is made from.
        adjusted_p: `p` after Holm's correction for the family that the test is one of.
    """

    difference: float
    n: tuple[int, int]
    low: float | None
    high: float | None
    p: float | None = None
    freedom: float | None = None
    effect: float | None = None
    how: How = "welch"
    adjusted_p: float | None = None

    @property
    def error(self) -> float | None:
        """The standard error, where there is an interval of 95 %."""
        if self.low is None or self.high is None or self.freedom is None:
            return None
        return (self.high - self.low) / 2 / float(stdtrit(self.freedom, 0.5 + CONFIDENCE / 2))


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
    return unpaired(first, second, Spread.none(2), (0, 1), confidence)


def unpaired(
    first: Sequence[float],
    second: Sequence[float],
    spread: Spread,
    arms: tuple[int, int],
    confidence: float = CONFIDENCE,
) -> Difference:
    """Return the difference of two arms' means, with the residual of all arms where it serves both.

    Args:
        first: the values of one.
        second: of the other.
        spread: of all arms.
        arms: places of the two in it.
        confidence: of the interval.

    Raises:
        ValueError: if a side has no values.
    """
    n = (len(first), len(second))
    if 0 in n:
        raise ValueError(f"a difference needs values on both sides, got {n[0]} and {n[1]}")
    difference = float(np.mean(first) - np.mean(second))
    if 1 in n or np.ptp(first) + np.ptp(second) == 0:
        return Difference(difference, n, None, None)
    variances = np.array([np.var(values, ddof=1) for values in (first, second)])
    error, freedom = two_sided_error(variances, np.array(n), spread, arms)
    effect = difference / math.sqrt(variances.mean()) * _small_sample(sum(n) - 2)
    how: How = "pooled" if spread.serves(arms) else "welch"
    return _judged(difference, n, float(error), float(freedom), effect, how, confidence)


def two_sided_error(
    variances: NDArray[np.float64],
    sizes: NDArray[np.int64],
    spread: Spread,
    arms: tuple[int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the standard error of a difference of two means, and its degrees of freedom.

    Args:
        variances: (..., 2), of each side's values; any number of studies at once.
        sizes: (..., 2), how many values those are.
        spread: of all arms of each study.
        arms: places of the two in it.
    """
    parts = variances / sizes
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = ratio_freedom(parts, sizes - 1)
        pooled = np.sqrt(spread.variance * (1 / sizes).sum(axis=-1))
    serves = spread.serves(arms)
    error = np.where(serves, pooled, np.sqrt(parts.sum(axis=-1)))
    return error, np.where(serves, spread.freedom, freedom)


def paired(differences: Sequence[float], confidence: float = CONFIDENCE) -> Difference:
    """Return the mean of differences within pairs, for pairs that really share something.

    Raises:
        ValueError: if there are none.
    """
    estimate = mean_interval(differences, confidence)
    n = (estimate.n, estimate.n)
    if estimate.low is None or not estimate.sd:
        return Difference(estimate.mean, n, None, None, how="paired")
    effect = estimate.mean / estimate.sd * _small_sample(estimate.n - 1)
    error = estimate.sd / math.sqrt(estimate.n)
    return _judged(estimate.mean, n, error, estimate.n - 1, effect, "paired", confidence)


def spread_over(arms: Sequence[Sequence[float]]) -> Spread:
    """Return how far the values of each arm spread, and whether those of all may be pooled."""
    variances = [np.var(values, ddof=1) if len(values) > 1 else math.nan for values in arms]
    return spread_of(np.array(variances), np.array([len(values) for values in arms]))


def p_value(
    t: float | NDArray[np.float64], freedom: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the two-sided p-value of Student's t."""
    return np.asarray(2 * stdtr(freedom, -np.abs(t)))


def _judged(
    difference: float,
    n: tuple[int, int],
    error: float,
    freedom: float,
    effect: float,
    how: How,
    confidence: float,
) -> Difference:
    half = _quantile(confidence, freedom) * error
    p = float(p_value(difference / error, freedom)) if min(n) >= FEWEST else None
    return Difference(difference, n, difference - half, difference + half, p, freedom, effect, how)


def _quantile(confidence: float, freedom: float) -> float:
    # scipy.stats has this quantile of Student's t too, but takes a second to import.
    return float(stdtrit(freedom, 0.5 + confidence / 2))


def _small_sample(freedom: float) -> float:
    """Hedges' correction of a standardised difference (1981), in its usual approximation."""
    return 1 - 3 / (4 * freedom - 1)
