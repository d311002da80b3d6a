"""Statistics beside scipy's, statsmodels' or a textbook's on the same data."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.power import TTestIndPower

from rotlab.reporting.arms import ArmSummary
from rotlab.reporting.chains import Chain
from rotlab.reporting.factorial import factorial
from rotlab.reporting.power import findable, power, seeds_needed
from rotlab.reporting.ranks import ranking
from rotlab.reporting.resampled import resampled
from rotlab.reporting.statistics import mean_interval, welch
from rotlab.reporting.videos import Judged, TestSet, with_test_set


def _arm(values: list[float], stages: list[set[str]], **arm: Any) -> ArmSummary:
    chains = tuple(
        Chain(value, frozenset(held), frozenset({seed}))
        for seed, (value, held) in enumerate(zip(values, stages, strict=True))
    )
    return ArmSummary(arm, len(values), 0, chains, mean_interval(values), {})


def _grid(*, shared: bool, drop: int = 0) -> list[ArmSummary]:
    """Two rotations by three depths, four seeds; a pretraining's effect is shared by depths."""
    rng = np.random.default_rng(0)
    pretrained = rng.normal(0, 0.05, (2, 4))
    arms = []
    for row, rotations in enumerate((2, 4)):
        for depth in range(3):
            noise = rng.normal(0, 0.02, 4)
            values = 0.5 + 0.05 * depth + noise + (pretrained[row] if shared else 0)
            stages = [
                {f"p{rotations}-{s}" if shared else f"p{rotations}{depth}-{s}"} for s in range(4)
            ]
            keep = 4 - (drop if depth == 0 else 0)
            arms.append(
                _arm(values.tolist()[:keep], stages[:keep], rotations=rotations, depth=depth)
            )
    return arms


def _table(arms: list[ArmSummary]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {**arm.arm, "value": chain.value, "seed": next(iter(chain.seeds))}
            for arm in arms
            for chain in arm.chains
        ]
    )


@pytest.mark.parametrize("drop", [0, 1])
def test_effects_of_independent_chains_are_statsmodels_analysis_of_variance(drop: int) -> None:
    arms = _grid(shared=False, drop=drop)
    found = factorial(arms, ["rotations", "depth"])
    model = smf.ols("value ~ C(rotations, Sum) * C(depth, Sum)", _table(arms)).fit()
    theirs = anova_lm(model, typ=2)
    assert found is not None
    assert found.groups is None
    assert [one.axes for one in found.effects] == [
        ("rotations",),
        ("depth",),
        ("rotations", "depth"),
    ]
    assert [one.p for one in found.effects] == pytest.approx(theirs["PR(>F)"][:3].tolist())


def test_effects_under_shared_pretrainings_are_those_of_a_split_plot() -> None:
    arms = _grid(shared=True)
    found = factorial(arms, ["rotations", "depth"])
    cube = np.array([arm.seed_means for arm in arms]).reshape(2, 3, 4)  # rotations, depth, seed
    plots = cube.mean(axis=1)
    between = 3 * ((plots - plots.mean(axis=1, keepdims=True)) ** 2).sum() / 6
    rotations = 12 * ((plots.mean(axis=1) - cube.mean()) ** 2).sum()
    depth = 8 * ((cube.mean(axis=(0, 2)) - cube.mean()) ** 2).sum() / 2
    fitted = cube.mean(axis=2, keepdims=True) + (plots - plots.mean(axis=1, keepdims=True))[:, None]
    within = ((cube - fitted) ** 2).sum() / 12
    assert found is not None
    assert found.groups == 8
    assert [one.freedom for one in found.effects] == [(1, 6), (2, 12), (2, 12)]
    assert found.effects[0].f == pytest.approx(rotations / between, rel=1e-3)
    assert found.effects[1].f == pytest.approx(depth / within, rel=1e-3)


def test_axes_that_do_not_vary_together_have_no_effects_of_their_own() -> None:
    arms = _grid(shared=False)
    assert factorial(arms[:3], ["rotations", "depth"]) is None
    assert factorial(arms[:5], ["rotations", "depth"]) is None  # a combination is missing
    assert factorial([], []) is None


@pytest.mark.parametrize(("values", "are_told"), [(3, True), (61, False)])
def test_an_axis_of_very_many_values_has_no_table_of_effects(
    values: int, *, are_told: bool
) -> None:
    rng = np.random.default_rng(0)
    arms = [
        _arm(rng.normal(0, 1, 3).tolist(), [{f"{rate}-{depth}-{s}"} for s in range(3)], **arm)
        for rate in range(values)
        for depth in range(2)
        for arm in ({"rate": rate, "depth": depth},)
    ]
    assert (factorial(arms, ["rate", "depth"]) is not None) is are_told


@pytest.mark.parametrize("seeds", [2, 3, 7, 30])
@pytest.mark.parametrize("effect", [0.2, 0.8, 1.5])
def test_power_is_statsmodels(seeds: int, effect: float) -> None:
    theirs = TTestIndPower().power(effect, seeds, 0.05)
    assert power(effect, 1.0, seeds) == pytest.approx(float(theirs), abs=1e-6)


def test_a_difference_of_one_standard_deviation_needs_17_seeds() -> None:
    assert seeds_needed(2.0, 2.0) == math.ceil(TTestIndPower().solve_power(1.0, None, 0.05, 0.8))
    assert seeds_needed(1.0, 1.0) == 17
    assert seeds_needed(0.01, 1.0) is None
    assert power(9.0, 1.0, 30) == pytest.approx(1.0)
    assert findable(1.0, 17) <= 1.0 < findable(1.0, 16)
    with pytest.raises(ValueError, match="above 0, got 0"):
        seeds_needed(0, 1.0)


def test_random_splits_are_corrected_for_their_overlap() -> None:
    differences = [0.02, 0.05, 0.01, 0.04]
    found = resampled(differences, 0.2)
    error = np.std(differences, ddof=1) * math.sqrt(1 / 4 + 0.25)
    assert found.error == pytest.approx(error)
    assert found.p == pytest.approx(2 * stats.t.sf(0.03 / error, 3))
    plain = stats.ttest_1samp(differences, 0).pvalue
    assert found.p is not None
    assert found.p > plain
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        resampled(differences, 1.5)


def test_ranks_are_demsars_and_of_fewer_than_five_sets_there_are_none() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (6, 4)) + np.arange(4)
    found = ranking(values)
    assert found is not None
    assert found.p == pytest.approx(float(stats.friedmanchisquare(*values.T).pvalue))
    assert found.mean_ranks == pytest.approx(stats.rankdata(-values, axis=1).mean(axis=0))
    # Demsar's table: q = 2.569 for four arms at 5 %.
    assert found.critical == pytest.approx(2.569 * math.sqrt(4 * 5 / (6 * 6)), rel=1e-3)
    assert ranking(values[:4]) is None


def _judged(right: list[list[int]], videos: list[int]) -> Judged:
    """Chains by groups, of one split."""
    return Judged(np.array(right, float)[:, None], np.array(videos, float)[None])


def test_the_test_sets_part_is_the_variance_over_groups() -> None:
    rng = np.random.default_rng(0)
    videos = [6] * 40
    first, second = (_judged(rng.binomial(6, 0.5, (3, 40)).tolist(), videos) for _ in range(2))
    found = TestSet.of(first, second, rng, draws=20000)
    by_group = first.right.mean(axis=(0, 1)) / 6 - second.right.mean(axis=(0, 1)) / 6
    assert found.variance == pytest.approx(by_group.var(ddof=1) / 40, rel=0.05)


def test_what_both_arms_get_wrong_alike_is_no_uncertainty_of_their_difference() -> None:
    hard = _judged([[0, 4, 4, 0], [0, 4, 4, 0]], [4, 4, 4, 4])
    found = TestSet.of(hard, hard, np.random.default_rng(0))
    assert (found.variance, found.both) == (0.0, 0.0)


def test_a_difference_for_other_test_videos_is_wider_never_narrower() -> None:
    plain = welch([0.5, 0.6, 0.7], [0.1, 0.2, 0.3])
    assert plain.low is not None
    assert plain.p is not None
    wider = with_test_set(plain, TestSet(0.01, 0.0, 9))
    assert wider.low is not None
    assert wider.p is not None
    assert wider.low < plain.low
    assert wider.p > plain.p
    narrow = with_test_set(plain, TestSet(0.0001, 0.0001, 9))
    assert narrow.error == pytest.approx(plain.error)


def test_arms_judged_on_different_videos_are_not_compared_so() -> None:
    first, second = _judged([[1, 2]], [4, 4]), _judged([[1, 2]], [4, 5])
    with pytest.raises(ValueError, match="the same videos"):
        TestSet.of(first, second, np.random.default_rng(0))
    with pytest.raises(ValueError, match="needs a test video"):
        _judged([[0]], [0])
