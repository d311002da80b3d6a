import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from rotlab.reporting.spread import LEVEL
from rotlab.reporting.statistics import mean_interval, paired, spread_over, welch

_shares = st.integers(0, 1000).map(lambda number: number / 1000)
_spread = st.lists(_shares, min_size=2, max_size=8).filter(lambda values: np.ptp(values) > 0)


@given(_spread)
def test_the_interval_of_a_mean_is_scipys(values: list[float]) -> None:
    ours = mean_interval(values)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert ours.sd == pytest.approx(np.std(values, ddof=1))


@given(_spread, _spread)
def test_the_interval_of_a_difference_is_scipys(first: list[float], second: list[float]) -> None:
    ours = welch(first, second)
    theirs = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(_spread, _spread)
def test_pairs_are_tested_as_scipy_does(first: list[float], second: list[float]) -> None:
    differences = [a - b for a, b in zip(first, second, strict=False)]
    assume(np.ptp(differences) > 1e-9)
    ours = paired(differences)
    theirs = stats.ttest_1samp(differences, 0)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)), abs=1e-9)
    if len(differences) < 3:
        assert ours.p is None
    else:
        assert ours.p == pytest.approx(float(theirs.pvalue), abs=1e-9)


@given(st.lists(_spread, min_size=2, max_size=6))
def test_the_residual_is_pooled_where_scipys_bartlett_finds_spreads_alike(
    arms: list[list[float]],
) -> None:
    spread = spread_over(arms)
    theirs = float(stats.bartlett(*arms).pvalue)
    assume(abs(theirs - LEVEL) > 1e-6)
    freedom = sum(len(arm) - 1 for arm in arms)
    pooled = sum((len(arm) - 1) * np.var(arm, ddof=1) for arm in arms) / freedom
    assert (spread.variance, spread.freedom) == pytest.approx((pooled, freedom))
    for arm, may in zip(arms, spread.may_pool, strict=True):
        quarter = stats.f.ppf(1 - LEVEL, len(arm) - 1, freedom)
        assert may == (theirs > LEVEL and np.var(arm, ddof=1) <= pooled * quarter)


@given(_spread, _spread)
def test_two_sided_p_values_are_scipys(first: list[float], second: list[float]) -> None:
    theirs = stats.ttest_ind(first, second, equal_var=False)
    ours = welch(first, second)
    if min(len(first), len(second)) < 3:
        assert ours.p is None
    else:
        assert ours.p == pytest.approx(float(theirs.pvalue), abs=1e-9)


def test_an_effect_is_in_standard_deviations_corrected_for_few_values() -> None:
    # Both sides have sd 1; Hedges' correction for 4 degrees of freedom is 1 - 3 / 15.
    assert welch([4.0, 5.0, 6.0], [1.0, 2.0, 3.0]).effect == pytest.approx(3 * 0.8)


def test_the_standard_error_is_half_the_interval_over_the_quantile() -> None:
    found = welch([4.0, 5.0, 6.0], [1.0, 2.0, 3.0])
    assert found.error == pytest.approx(math.sqrt(2 / 3))
    assert welch([1.0], [2.0, 3.0]).error is None


def test_a_mean_worked_by_hand() -> None:
    estimate = mean_interval([1.0, 2.0, 3.0])
    half = 4.302652729911275 / math.sqrt(3)  # t(0.975, 2 degrees) * 1 / sqrt(3)
    assert (estimate.mean, estimate.n, estimate.sd) == (2.0, 3, 1.0)
    assert (estimate.low, estimate.high) == pytest.approx((2 - half, 2 + half))


def test_a_difference_worked_by_hand() -> None:
    # Equal spread and size: 2 + 2 degrees of freedom, standard error sqrt(1/3 + 1/3).
    found = welch([4.0, 5.0, 6.0], [1.0, 2.0, 3.0])
    half = 2.7764451051977987 * math.sqrt(2 / 3)
    assert found.difference == 3.0
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half))


def test_one_value_has_a_mean_but_no_interval() -> None:
    estimate = mean_interval([0.5])
    assert (estimate.mean, estimate.sd, estimate.low, estimate.high) == (0.5, None, None, None)


def test_equal_values_have_no_interval_because_their_spread_is_not_known() -> None:
    estimate = mean_interval([0.25, 0.25, 0.25])
    assert (estimate.mean, estimate.sd, estimate.low, estimate.high) == (0.25, 0.0, None, None)


@pytest.mark.parametrize(
    ("first", "second"), [([0.5], [0.1, 0.2]), ([0.1, 0.2], [0.5]), ([0.9, 0.9], [0.5, 0.5])]
)
def test_a_difference_without_known_spread_has_no_interval(
    first: list[float], second: list[float]
) -> None:
    found = welch(first, second)
    assert found.difference == pytest.approx(np.mean(first) - np.mean(second))
    assert (found.low, found.high) == (None, None)


def test_no_values_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mean_interval([])
    with pytest.raises(ValueError, match="got 1 and 0"):
        welch([1.0], [])


def test_the_difference_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        found = welch(rng.normal(1.0, 1.0, 4).tolist(), rng.normal(0.0, 3.0, 5).tolist())
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1.0 <= found.high
    assert 0.93 < covered / 2000 < 0.97
