"""Figures of rankings, and what chance makes of them."""

from itertools import permutations

import numpy as np
import pytest

from rotnet.evaluation.ranking import (
    chance_mean_average_precision,
    chance_recall_at,
    mean_average_precision,
    recall_at,
)

RIGHT = np.array([[True, False, True, False], [False, False, True, False], [False] * 4])


def test_figures_of_a_case_worked_by_hand() -> None:
    assert [recall_at(RIGHT, k) for k in (1, 2, 3, 4)] == [1 / 3, 1 / 3, 2 / 3, 2 / 3]
    assert mean_average_precision(RIGHT) == pytest.approx(((1 + 2 / 3) / 2 + 1 / 3 + 0) / 3)


def test_chance_is_the_mean_over_all_orders() -> None:
    gallery, queries = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 1, 2, 3])
    orders = np.array(list(permutations(range(6))))
    right = np.concatenate([gallery[orders] == label for label in queries])
    for k in range(1, 7):
        assert chance_recall_at(queries, gallery, k) == pytest.approx(recall_at(right, k))
    expected = mean_average_precision(right)
    assert chance_mean_average_precision(queries, gallery) == pytest.approx(expected)


def test_chance_of_a_gallery_of_one() -> None:
    one = np.array([0])
    assert chance_recall_at(one, one, 1) == chance_mean_average_precision(one, one) == 1.0


def test_a_ranking_by_chance_is_near_its_chance() -> None:
    rng = np.random.default_rng(0)
    gallery, queries = rng.integers(0, 8, 60), rng.integers(0, 8, 500)
    right = gallery[np.array([rng.permutation(60) for _ in queries])] == queries[:, None]
    for k in (1, 5, 10):
        assert recall_at(right, k) == pytest.approx(chance_recall_at(queries, gallery, k), abs=0.06)
    expected = chance_mean_average_precision(queries, gallery)
    assert mean_average_precision(right) == pytest.approx(expected, abs=0.01)
