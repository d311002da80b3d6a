"""Figures of a ranking: is what is asked for among the first? Arrays only.

A query's ranking is an order of a gallery of N; an item is right if it has the query's label.
"""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


def recall_at(right: NDArray[np.bool_], k: int) -> float:
    """Return the share of queries with a right item among their first k.

    Args:
        right: (Q, N), whether the item at each rank is right.
        k: at most N.
    """
    return float(right[:, :k].any(axis=1).mean())


def mean_average_precision(right: NDArray[np.bool_]) -> float:
    """Return the mean over queries of the precision at the ranks of the right items, averaged.

    A query without any right item counts as 0.

    Args:
        right: (Q, N), whether the item at each rank is right.
    """
    hits = right.cumsum(axis=1)
    precision = hits / np.arange(1, right.shape[1] + 1)
    total = (precision * right).sum(axis=1)
    return float((total / np.maximum(hits[:, -1], 1)).mean())


def chance_recall_at(queries: Labels, gallery: Labels, k: int) -> float:
    """Return what `recall_at` is on average if all orders of the gallery are equally likely.

    A query with r right items among N misses with probability C(N - r, k) / C(N, k)
    (hypergeometric). Worked: 4 items, 2 of them right, k = 1: 0.5; k = 2: 1 - 1/6.
    """
    number = len(gallery)
    chances = []
    for wanted in _relevant(queries, gallery):
        ranks = np.arange(k)
        misses = np.maximum(number - wanted - ranks, 0) / (number - ranks)
        chances.append(1.0 - misses.prod())
    return float(np.mean(chances))


def chance_mean_average_precision(queries: Labels, gallery: Labels) -> float:
    """Return what `mean_average_precision` is on average if all orders are equally likely.

    The expectation is exact. With r right items among N, rank i holds one with probability r/N,
    and given that, each of the i - 1 ranks before does with probability (r - 1)/(N - 1), so that
    E[AP] = 1/N * sum over i of (1 + (i - 1)(r - 1)/(N - 1)) / i. Worked: N = 2, r = 1: 0.75.
    """
    number = len(gallery)
    ranks = np.arange(1, number + 1)
    chances = []
    for wanted in _relevant(queries, gallery):
        before = (ranks - 1) * (wanted - 1) / max(number - 1, 1)
        chances.append(((1 + before) / ranks).mean() if wanted else 0.0)
    return float(np.mean(chances))


def _relevant(queries: Labels, gallery: Labels) -> list[int]:
    """Return how many items of the gallery are right, for each query."""
    counts = np.bincount(gallery, minlength=int(queries.max()) + 1)
    return counts[queries].tolist()
