"""What a difference owes to the test videos: as if other ones of their kind had been taken.

Seeds tell how results vary between trainings, on these very videos. Videos of one group (a film, a
person) are alike, so whole groups are drawn anew, with replacement; the same draw for both arms,
which are judged on the same videos. Both parts are added, less what stands in both: by which chain
was right on which group (the two-way variance of Cameron, Gelbach and Miller, 2011).
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from rotlab.reporting.statistics import CONFIDENCE, Difference, p_value

DRAWS = 2000


@dataclass(frozen=True, eq=False)
class Judged:
    """On which test videos the chains of one arm were right, group by group.

    Args:
        right: (R, S, G) how many videos of a group a chain has right in a split.
        videos: (S, G) how many the group has there.
    """

    right: NDArray[np.float64]
    videos: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check shapes.

        Raises:
            ValueError: if they do not fit, or a split has no videos.
        """
        if self.right.ndim != 3 or self.right.shape[1:] != self.videos.shape:
            raise ValueError(
                f"right must be (R, S, G) and videos (S, G), got {self.right.shape} and "
                f"{self.videos.shape}"
            )
        if not self.videos.sum(axis=-1).all():
            raise ValueError("every split needs a test video")

    def __repr__(self) -> str:
        """Shapes, not data."""
        return f"Judged(chains, splits, groups={self.right.shape})"

    def influence(self) -> NDArray[np.float64]:
        """Return (R, G): what each group adds to a chain's accuracy, the mean of its splits."""
        total = self.videos.sum(axis=-1)
        accuracy = self.right.sum(axis=-1) / total
        return ((self.right - accuracy[..., None] * self.videos) / total[:, None]).mean(axis=1)

    def drawn(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean accuracy for each draw of groups, (B, G) -> (B,)."""
        right = np.einsum("bg,sg->bs", weights, self.right.mean(axis=0))
        with np.errstate(invalid="ignore"):
            return (right / np.einsum("bg,sg->bs", weights, self.videos)).mean(axis=-1)


@dataclass(frozen=True, slots=True)
class TestSet:
    """What test videos add to the variance of a difference.

    Args:
        variance: of the difference over draws of groups.
        both: the part of it that seeds' variance holds as well.
        groups: how many there are.
    """

    __test__ = False  # no test of pytest's

    variance: float
    both: float
    groups: int

    @classmethod
    def of(
        cls, first: Judged, second: Judged, generator: np.random.Generator, draws: int = DRAWS
    ) -> Self:
        """Return it by bootstrap over groups.

        Raises:
            ValueError: if the two were judged on different videos, or there is but one group.
        """
        if not np.array_equal(first.videos, second.videos):
            raise ValueError("both arms must be judged on the same videos")
        groups = first.videos.shape[-1]
        if groups < 2:
            raise ValueError("one group of videos says nothing of others")
        even = np.full(groups, 1 / groups)
        weights = generator.multinomial(groups, even, size=draws).astype(float)
        differences = first.drawn(weights) - second.drawn(weights)  # NaN: a split without videos
        variance = float(np.nanvar(differences)) * groups / (groups - 1)
        return cls(variance, _both(first) + _both(second), groups)


def with_test_set(difference: Difference, test: TestSet) -> Difference:
    """Return a difference with the interval and test that hold for other test videos too.

    Its degrees of freedom are Satterthwaite's of the two parts; it is never narrower than the
    interval for these very videos. A difference without an interval stays as it is.
    """
    error, freedom = difference.error, difference.freedom
    if error is None or freedom is None or difference.low is None:
        return difference
    seeds = error**2
    total = max(seeds + test.variance - test.both, seeds, test.variance)
    joint = total**2 / (seeds**2 / freedom + test.variance**2 / (test.groups - 1))
    middle = difference.difference
    half = float(stdtrit(joint, 0.5 + CONFIDENCE / 2)) * total**0.5
    half = max(half, middle - difference.low)
    tested = difference.p is not None
    return replace(
        difference,
        low=middle - half,
        high=middle + half,
        freedom=joint,
        p=max(float(p_value(middle / total**0.5, joint)), difference.p or 0.0) if tested else None,
        adjusted_p=None,
    )


def _both(arm: Judged) -> float:
    """The variance of a mean over chains that comes from chain by group alone."""
    chains = len(arm.right)
    if chains < 2:
        return 0.0
    influence = arm.influence()
    noise = influence - influence.mean(axis=0)
    return float((noise**2).sum()) / (chains * (chains - 1))
