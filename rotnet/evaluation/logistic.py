"""Logistic regression: classes from features, by a rule with one number to choose. No videos."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

GRADIENT = 1e-6  # the fit ends where no element of the gradient exceeds it
MAX_STEPS = 2000
_ROUNDING = 1e-6  # a feature that varies by less than this share of its mean is constant


@dataclass(frozen=True)
class Scaling:
    """What features are shifted and divided by, so that each has mean 0 and deviation 1.

    Args:
        mean: (D,) float64.
        deviation: (D,) float64; 1 for a feature that does not vary.
    """

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """Return the scaling of features (N, D)."""
        features = features.double()
        mean, deviation = features.mean(0), features.std(0, correction=0)
        constant = deviation <= _ROUNDING * mean.abs()
        return cls(mean, torch.where(constant, 1.0, deviation))

    def __call__(self, features: Tensor) -> Tensor:
        """Return features (N, D) scaled, float64."""
        return (features.double() - self.mean) / self.deviation


@dataclass(frozen=True)
class Logistic:
    """A fitted probe.

    Args:
        scaling: of the features it was fitted on.
        weight: (D, K) float64.
        bias: (K,) float64.
        gradient: largest element of the loss's gradient where the fit ended.
    """

    scaling: Scaling
    weight: Tensor
    bias: Tensor
    gradient: float

    def logits(self, features: Tensor) -> Tensor:
        """Return logits (N, K) float64 of features (N, D)."""
        return self.scaling(features) @ self.weight + self.bias


def fit_logistic(
    features: Tensor, labels: Tensor, num_classes: int, l2: float, start: Logistic | None = None
) -> Logistic:
    """Minimise mean cross-entropy + l2/2 * |weight|^2 on scaled features; the bias is free.

    The loss is strongly convex in the weights, so the start saves time and changes nothing beyond
    the tolerance. L-BFGS on all of the data in float64, until no element of the gradient exceeds
    1e-6, or for 2,000 steps; nothing is drawn by chance.

    Args:
        features: (N, D), on the device to compute on.
        labels: (N,) int64 in [0, num_classes).
        num_classes: K.
        l2: weight decay.
        start: a fit on the same features.
    """
    scaling = Scaling.of(features)
    scaled = scaling(features)
    weight = scaled.new_zeros(features.shape[1], num_classes)
    bias = scaled.new_zeros(num_classes)
    if start is not None:
        weight.copy_(start.weight)
        bias.copy_(start.bias)
    parameters = [weight.requires_grad_(), bias.requires_grad_()]
    optimiser = torch.optim.LBFGS(
        parameters,
        max_iter=MAX_STEPS,
        max_eval=2 * MAX_STEPS,
        tolerance_grad=GRADIENT,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = cross_entropy(scaled @ weight + bias, labels) + 0.5 * l2 * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    loss()
    gradient = max(float(one.grad.abs().max()) for one in parameters if one.grad is not None)
    return Logistic(scaling, weight.detach(), bias.detach(), gradient)
