"""A short form of benchmarks/intervals.py: what is printed errs as often as it says."""

import numpy as np
import pytest

from benchmarks.intervals import Design, any_called, draw, judge, simulate, simulate_videos
from rotlab.reporting.family import holm
from rotlab.reporting.statistics import paired, spread_over, unpaired

RUNS = 300
DESIGNS = [
    Design(3),
    Design(5, unequal=True, missing=0.05),
    Design(4, unequal=True, shared=True),
    Design(3, tunings=2),
]


@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_intervals_cover_and_a_family_errs_seldom(design: Design) -> None:
    found = simulate(design, RUNS, np.random.default_rng(0))
    assert 0.93 < found.covers < 0.975
    assert found.family_error <= 0.06 + 2 * 0.0137  # two standard errors of 6 % in 300


def test_a_paired_test_over_all_cells_of_an_arm_does_not() -> None:
    found = simulate(Design(3), RUNS, np.random.default_rng(0))
    assert found.naive_error > 0.1
    assert found.naive_family_error > 0.15


def test_intervals_for_other_test_videos_cover_and_those_of_seeds_alone_do_not() -> None:
    design = Design(10, arms=2, group_arm=0.2)
    wide, plain = simulate_videos(design, RUNS, np.random.default_rng(0))
    assert 0.92 < wide < 0.98
    assert plain < 0.9


@pytest.mark.parametrize("shared", [False, True])
def test_the_simulation_judges_as_the_tables_do(shared: bool) -> None:
    values = draw(Design(4, arms=5, shared=shared), 3, np.random.default_rng(1)).chains
    judged = judge(values, shared=shared)
    for run, arms in enumerate(values):
        spread = spread_over(arms.tolist())
        for arm in range(1, 5):
            ours = (
                paired((arms[arm] - arms[0]).tolist())
                if shared
                else unpaired(arms[arm].tolist(), arms[0].tolist(), spread, (arm, 0))
            )
            place = (run, arm - 1)
            assert ours.difference == pytest.approx(judged.difference[place])
            assert (ours.error, ours.freedom) == pytest.approx(
                (judged.error[place], judged.freedom[place])
            )
            assert ours.p == pytest.approx(judged.p[place])


def test_a_family_errs_where_holms_first_step_does() -> None:
    p = np.random.default_rng(2).uniform(0, 0.3, (50, 4))
    p[:, 3] = np.nan
    assert any_called(p).tolist() == [min(holm(row[:3].tolist())) <= 0.05 for row in p]
    assert not any_called(np.full((1, 3), np.nan))[0]
