"""How far the values of arms spread, and when one residual serves them all.

The residual of all arms has more degrees of freedom than two arms have (48 instead of about 4, for
24 arms of three seeds), but is wrong where arms spread differently. The rule: it is taken where
Bartlett's test over all arms gives p > 0.25, the level that Bancroft (Biometrics 20, 1964) advises
for tests on which pooling hangs; and for two arms only whose own variances lie below the upper
quarter of the F distribution beside it, so that an unruly arm is not judged by the others' calm.
`benchmarks/intervals.py` measures what the rule does to coverage.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtri

LEVEL = 0.25


@dataclass(frozen=True, eq=False)
class Spread:
    """The residual of A arms; of any number of studies at once (...).

    Args:
        variance: (...) of all arms together.
        freedom: (...) its degrees of freedom.
        may_pool: (..., A) whether an arm may be judged by it.
    """

    variance: NDArray[np.float64]
    freedom: NDArray[np.float64]
    may_pool: NDArray[np.bool_]

    def __repr__(self) -> str:
        """Shapes, not data."""
        return f"Spread(studies={self.variance.shape}, arms={self.may_pool.shape[-1]})"

    @classmethod
    def none(cls, arms: int) -> Self:
        """Return one that serves no arm."""
        return cls(np.array(np.nan), np.array(0.0), np.zeros(arms, dtype=bool))

    def serves(self, arms: tuple[int, int]) -> NDArray[np.bool_]:
        """Say whether a difference of two arms may be judged by it, (...)."""
        return self.may_pool[..., arms[0]] & self.may_pool[..., arms[1]]


def spread_of(variances: NDArray[np.float64], sizes: NDArray[np.int64]) -> Spread:
    """Return the residual of arms, by the rule above.

    Args:
        variances: (..., A), each with n - 1 in its denominator; NaN where n < 2.
        sizes: (..., A), n.
    """
    known = sizes > 1
    freedom = np.where(known, sizes - 1, 0).astype(float)
    total = freedom.sum(axis=-1)
    held = np.where(known, variances, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (freedom * held).sum(axis=-1) / total
        alike = _bartlett(held, freedom, pooled) > LEVEL
        limit = pooled[..., None] * fdtri(np.maximum(freedom, 1), total[..., None], 1 - LEVEL)
    may = alike[..., None] & known & (held <= limit)
    return Spread(pooled, total, may)


def ratio_freedom(
    parts: NDArray[np.float64], freedom: NDArray[np.int64] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return Satterthwaite's degrees of freedom of a sum of variances: (..., parts) -> (...)."""
    return parts.sum(axis=-1) ** 2 / (parts**2 / freedom).sum(axis=-1)


def _bartlett(
    variances: NDArray[np.float64], freedom: NDArray[np.float64], pooled: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bartlett's p-value, of many studies at once; 0 where an arm has no spread, or there is one.

    scipy.stats.bartlett takes samples, of one study.
    """
    known = freedom > 0
    arms = known.sum(axis=-1)
    logs = np.where(known, freedom * np.log(np.where(known, variances, 1.0)), 0.0)
    total = freedom.sum(axis=-1)
    inverse = np.where(known, 1 / np.where(known, freedom, 1.0), 0.0).sum(axis=-1)
    scale = 1 + (inverse - 1 / total) / (3 * (arms - 1))
    statistic = (total * np.log(pooled) - logs.sum(axis=-1)) / scale
    return np.where(arms > 1, np.nan_to_num(chdtrc(arms - 1, statistic)), 0.0)
