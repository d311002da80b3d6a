"""Looking more than once without erring more often: boundaries of a group-sequential test.

How much of the level may be spent by a look is a function of the share of information there (Lan
and DeMets, Biometrika 70, 1983); here one between those of Pocock and of O'Brien and Fleming
(Hwang, Shih and DeCani, Statistics in Medicine 9, 1990, with gamma = -1). Boundaries are found by
integrating over all that may have happened before (Armitage, McPherson and Rowe, JRSS A 132, 1969).
They are those of normal statistics; a t statistic is held against their p-values, the
significance-level approach (Jennison and Turnbull, Group Sequential Methods, 2000).
"""

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

_NODES = 256  # of the quadrature
_FARTHEST = 9.0  # standard errors; beyond it lies less than rounding shows
_HALVINGS = 60

Array = NDArray[np.float64]


def spent(level: float, share: float) -> float:
    """Return how much of a two-sided level may be spent by a share of the information, (0, 1]."""
    return level * math.expm1(share) / math.expm1(1)


@cache
def boundaries(
    level: float, shares: tuple[float, ...], spending: Callable[[float, float], float] = spent
) -> tuple[float, ...]:
    """Return the absolute value that a standard normal statistic has to reach at each look.

    Five even looks at a level of 0.05 have 2.724, 2.590, 2.450, 2.314 and 2.181.

    Args:
        level: two-sided, of all looks together.
        shares: of the information at each look, increasing to 1.
        spending: (level, share) -> what may be spent by then.
    """
    found: list[float] = []
    so_far = 0.0
    points, density = np.zeros(1), np.ones(1)  # of the statistic times the root of its share
    for before, share in pairwise((0.0, *shares)):
        width = math.sqrt(share - before)
        now = spending(level, share)
        limit = _solve(points, density, width, now - so_far, math.sqrt(share) * _FARTHEST)
        found.append(limit / math.sqrt(share))
        so_far = now
        nodes, weights = _quadrature()
        after = nodes * limit
        steps = (after[:, None] - points) / width
        kernel = np.exp(-(steps**2) / 2) / (width * math.sqrt(2 * math.pi))
        points, density = after, (kernel @ density) * weights * limit
    return tuple(found)


def levels(level: float, shares: tuple[float, ...]) -> tuple[float, ...]:
    """Return the two-sided p-value that is to be reached at each look."""
    return tuple(float(2 * ndtr(-one)) for one in boundaries(level, shares))


def chance(p: float, share: float, limit: float) -> float:
    """Return the chance that a difference is shown at the last look, of either sign.

    It is the conditional power (Lan and Wittes, Biometrics 44, 1988) for all that the true
    difference may be by what is known now, averaged: the predictive power (Spiegelhalter, Freedman
    and Blackburn, Controlled Clinical Trials 7, 1986). For the one difference that it looks like
    now, it would jump to conclusions at few seeds.

    Args:
        p: two-sided, now.
        share: of the information now, below 1.
        limit: that the statistic has to reach at the last look.
    """
    drift = float(-ndtri(p / 2)) / math.sqrt(share)
    deviation = math.sqrt((1 - share) / share)
    return float(ndtr((drift - limit) / deviation) + ndtr((-drift - limit) / deviation))


def _solve(points: Array, density: Array, width: float, goal: float, farthest: float) -> float:
    """Return the limit beyond which, on both sides, lies as much as the goal."""
    low, high = 0.0, farthest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = density @ (ndtr((points - middle) / width) + ndtr((-points - middle) / width))
        low, high = (middle, high) if beyond > goal else (low, middle)
    return high


@cache
def _quadrature() -> tuple[Array, Array]:
    """Nodes and weights of Gauss and Legendre on [-1, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights
