"""A short form of benchmarks/adaptive.py: looks err as seldom as they say, and save seeds."""

import math

import numpy as np
import pytest

from benchmarks.adaptive import ARMS, Design, draw, follow, simulate
from rotlab.planning.space.looks import Family
from rotlab.reporting.looking import verdicts
from rotlab.reporting.statistics import spread_over, unpaired

AT = (3, 5, 7, 10)
RUNS = 300
MONTE_CARLO = 3 * math.sqrt(0.05 * 0.95 / RUNS)  # three standard errors of 5 %


@pytest.mark.parametrize(
    "design",
    [Design(AT), Design(AT, unequal=True), Design(AT, 2.0, 3)],
    ids=str,
)
def test_a_family_errs_in_5_percent_of_studies_at_most(design: Design) -> None:
    found = simulate(design, RUNS, np.random.default_rng(0))
    assert found.errs <= 0.05 + MONTE_CARLO
    assert found.answer_errs <= 0.06 + MONTE_CARLO
    assert found.saved > 0


def test_without_an_effect_arms_stop_early_and_with_a_large_one_most_are_found() -> None:
    rng = np.random.default_rng(1)
    nothing, large = (simulate(Design(AT, effect, ARMS), 100, rng) for effect in (0.0, 3.0))
    assert nothing.seeds < 0.65 * AT[-1]
    assert large.finds > 0.95
    assert large.seeds < 0.8 * AT[-1]


def test_a_look_tests_as_the_answer_does() -> None:
    (values,) = draw(Design(AT, 1.0, 3), 1, np.random.default_rng(2))[0]
    (first, *_) = follow(values, AT)
    held = [arm[:3].tolist() for arm in values]
    spread = spread_over(held)
    for arm, verdict in enumerate(first.verdicts, start=1):
        expected = unpaired(held[arm], held[0], spread, (arm, 0))
        assert (verdict.difference, verdict.p) == (expected.difference, expected.p)


def family(arms: int) -> Family:
    pairs = tuple((arm, 0) for arm in range(1, arms))
    return Family("", "", "", "", ({},) * arms, pairs, AT)


def test_what_is_shown_leaves_its_level_to_the_others() -> None:
    base, far, near = [0.0, 0.1, 0.2], [9.0, 9.1, 9.2], [0.27, 0.37, 0.47]
    nothing = [[frozenset[str]()] * 3] * 3
    alone = verdicts(family(3), [base, base, near], nothing, ())
    beside = verdicts(family(3), [base, far, near], nothing, ())
    levels = [found[1].level for found in (alone, beside)]
    assert levels[0] is not None
    assert levels[1] is not None
    assert levels[0] < levels[1]
    assert beside[0].outcome == "shown"


def test_arms_that_share_a_stage_are_compared_in_pairs() -> None:
    base, arm = [0.0, 1.0, 2.0], [0.3, 1.31, 2.29]
    stages = [[frozenset({str(seed)}) for seed in range(3)]] * 2
    (paired,) = verdicts(family(2), [base, arm], stages, ())
    (apart,) = verdicts(family(2), [base, arm], [[frozenset[str]()] * 3] * 2, ())
    assert paired.p is not None
    assert apart.p is not None
    assert paired.p < 0.01 < apart.p


def test_the_last_look_leaves_nothing_open() -> None:
    rng = np.random.default_rng(3)
    for values in draw(Design(AT), 20, rng)[0]:
        assert not follow(values, AT)[-1].open
