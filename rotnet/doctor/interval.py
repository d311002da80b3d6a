"""How often a probe is right, and how sure that is. Arithmetic only."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

ONE_SIDED = 1.6449  # standard errors to a 95 % bound


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share of views, with 95 % bounds, each one-sided.

    Args:
        share: of views that are told rightly.
        error: its standard error.
        views: how many there are.
        videos: of how many videos, or clips of noise, they are.
    """

    share: float
    error: float
    views: int
    videos: int

    def pooled(self, other: "Estimate") -> "Estimate":
        """Return the mean over the views of both, of which no video is the same."""
        views = self.views + other.views
        parts = (self.views / views, other.views / views)
        share = parts[0] * self.share + parts[1] * other.share
        error = math.hypot(parts[0] * self.error, parts[1] * other.error)
        return Estimate(share, error, views, self.videos + other.videos)

    @property
    def lower(self) -> float:
        """With 95 % confidence the share is above."""
        return self.share - ONE_SIDED * self.error

    @property
    def upper(self) -> float:
        """With 95 % confidence the share is below."""
        return self.share + ONE_SIDED * self.error


def clustered(values: Tensor, videos: Tensor) -> Estimate:
    """Return the mean of values with its standard error, clustered by video.

    Views of one video are not independent. The error is the linearised (cluster-robust) one of a
    mean over views: sqrt(G/(G-1) * sum over videos of (sum of deviations)^2) / N.

    Args:
        values: (N,) numbers: 1 for a view that is told rightly, 0 for another.
        videos: (N,) which video each view is of.

    Raises:
        ValueError: if there are fewer than 2 videos, whose spread is unknown.
    """
    _, index = torch.unique(videos, return_inverse=True)
    number = int(index.max()) + 1
    if number < 2:
        raise ValueError(f"a spread over videos needs at least 2 of them, got {number}")
    values = values.double()
    sums = torch.zeros(number, dtype=torch.float64, device=values.device)
    sums.index_add_(0, index, values - values.mean())
    error = (number / (number - 1) * sums.square().sum()).sqrt() / len(values)
    return Estimate(float(values.mean()), float(error), len(values), number)
