"""Boundaries of a group-sequential test: published ones, and those of another way to reckon."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

from rotlab.reporting.sequential import boundaries, chance, levels, spent

EVEN = (0.2, 0.4, 0.6, 0.8, 1.0)


def obrien_fleming(level: float, share: float) -> float:
    return float(4 * ndtr(-ndtri(1 - level / 4) / math.sqrt(share)))


def pocock(level: float, share: float) -> float:
    return level * math.log1p((math.e - 1) * share)


def test_boundaries_are_those_published_for_known_spending() -> None:
    found = boundaries(0.05, EVEN, obrien_fleming)
    assert found == pytest.approx((4.8769, 3.3569, 2.6803, 2.2898, 2.0310), abs=2e-4)
    found = boundaries(0.05, EVEN, pocock)
    assert found == pytest.approx((2.4380, 2.4268, 2.4101, 2.3966, 2.3859), abs=2e-4)


@pytest.mark.parametrize("shares", [(0.3, 1.0), (0.3, 0.5, 1.0), (0.5, 0.9, 1.0)])
@pytest.mark.parametrize("level", [0.05, 0.05 / 6])
def test_all_looks_together_err_as_often_as_they_may(
    shares: tuple[float, ...], level: float
) -> None:
    limits = np.array(boundaries(level, shares))
    root = np.sqrt(np.array(shares))
    correlation = np.minimum(root[:, None] / root, root / root[:, None])
    within = multivariate_normal(cov=correlation).cdf(limits, lower_limit=-limits, rng=0)
    assert 1 - within == pytest.approx(level, rel=2e-3)


def test_one_look_is_the_plain_test() -> None:
    assert levels(0.05, (1.0,)) == pytest.approx((0.05,))


def test_looks_close_together_and_many_lose_nothing() -> None:
    shares = tuple(n / 1000 for n in (3, 500, 999, 1000))
    found = levels(0.05, shares)
    assert found[0] == pytest.approx(spent(0.05, 0.003), rel=1e-6)
    assert all(0 < one < 0.05 for one in found)


def test_a_smaller_level_never_has_lower_boundaries() -> None:
    for low, high in pairwise(0.05 / n for n in (20, 6, 3, 2, 1)):
        pairs = zip(boundaries(low, EVEN), boundaries(high, EVEN), strict=True)
        assert all(strict > lax for strict, lax in pairs)


def test_the_chance_is_what_studies_that_go_on_find() -> None:
    rng = np.random.default_rng(0)
    share, limit, now = 0.4, 2.2, 1.1  # the statistic now; the true drift is normal around it
    drift = now / math.sqrt(share) + rng.normal(0, 1 / math.sqrt(share), 400_000)
    last = (
        now * math.sqrt(share) + drift * (1 - share) + rng.normal(0, math.sqrt(1 - share), 400_000)
    )
    expected = float((np.abs(last) >= limit).mean())
    assert chance(float(2 * ndtr(-now)), share, limit) == pytest.approx(expected, abs=0.004)
