"""How much each of several networks should count. Arithmetic on arrays; no files."""

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-6  # nats: how far from the least possible the loss may stay
MAX_STEPS = 100_000
_FLOOR = 1e-12  # a probability of 0 would make the loss infinite, whatever the weights


def fit_weights(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights, 0 or more and summing to 1, under which a mixture is most likely.

    The loss, -mean log(truth @ weights), is convex. It is minimised by expectation maximisation for
    the proportions of a mixture: weight m is multiplied by g_m = mean(truth_m / mixture), which
    keeps the weights on the simplex and never raises the loss. By convexity the loss is at most
    max(g) - 1 above its minimum, which is when it stops; after t steps it is at most log(M) / t
    above it. Nothing is drawn by chance, and equal members get equal weights.

    Args:
        truth: (N, M), the probability that member m gives the true class of video n.

    Returns:
        (M,) float64.
    """
    truth = np.maximum(truth, _FLOOR)
    weights = np.full(truth.shape[1], 1.0 / truth.shape[1])
    for _ in range(MAX_STEPS):
        gain = (truth / (truth @ weights)[:, None]).mean(axis=0)
        if gain.max() - 1.0 <= TOLERANCE:
            break
        weights *= gain
        weights /= weights.sum()
    return weights
