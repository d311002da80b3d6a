"""How much each of several networks counts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from rotnet.evaluation.blend import TOLERANCE, fit_weights


def loss(truth: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(-np.log(np.maximum(truth, 1e-12) @ weights).mean())


@given(arrays(np.float64, (7, 2), elements=st.floats(0, 1)))
def test_no_other_weights_of_two_members_are_more_likely(truth: NDArray[np.float64]) -> None:
    weights = fit_weights(truth)
    assert weights.min() >= 0
    assert abs(weights.sum() - 1) < 1e-9
    shares = np.linspace(0, 1, 101)
    least = min(loss(truth, np.array([share, 1 - share])) for share in shares)
    assert loss(truth, weights) <= least + 10 * TOLERANCE


def test_a_member_that_is_always_better_gets_all_the_weight() -> None:
    truth = np.stack([np.full(50, 0.9), np.full(50, 0.1), np.full(50, 0.3)], axis=1)
    np.testing.assert_allclose(fit_weights(truth), [1, 0, 0], atol=1e-4)


def test_members_that_say_the_same_count_alike() -> None:
    once = np.random.default_rng(0).random(20)
    np.testing.assert_allclose(fit_weights(np.stack([once] * 3, axis=1)), [1 / 3] * 3)


def test_members_that_know_different_videos_share_as_those_are_shared() -> None:
    truth = np.array([[1.0, 0.0]] * 30 + [[0.0, 1.0]] * 10)
    np.testing.assert_allclose(fit_weights(truth), [0.75, 0.25], atol=1e-6)
