"""Multinomial logistic regression, fitted to the end. A probe that sees features, not pictures."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

DECAY = 1e-3  # of the weights, on standardised features: L2 added to the mean loss


class Logistic:
    """A linear classifier of standardised features.

    Args:
        features: (N, D) float, to learn from.
        labels: (N,) int64 in [0, K).
        num_classes: K.
        decay: factor of the squared weights in the loss.
        iterations: of L-BFGS, at most.
    """

    def __init__(
        self,
        features: Tensor,
        labels: Tensor,
        num_classes: int,
        *,
        decay: float = DECAY,
        iterations: int = 60,
    ) -> None:
        self._mean = features.mean(dim=0)
        spread = features.std(dim=0)
        # What never varies says nothing, and must not be blown up.
        self._scale = torch.where(spread > 1e-6, 1 / spread.clamp_min(1e-6), 0.0)
        self._weight = nn.Parameter(features.new_zeros(features.shape[1], num_classes))
        self._bias = nn.Parameter(features.new_zeros(num_classes))
        inputs = self._standardised(features)
        rule = torch.optim.LBFGS(
            [self._weight, self._bias],
            max_iter=iterations,
            history_size=10,
            line_search_fn="strong_wolfe",
        )

        def loss() -> float:
            rule.zero_grad()
            value = cross_entropy(inputs @ self._weight + self._bias, labels)
            value = value + decay * self._weight.square().sum()
            value.backward()
            return float(value.detach())

        rule.step(loss)

    def predict(self, features: Tensor) -> Tensor:
        """Return the most likely class (N,) of features (N, D)."""
        with torch.no_grad():
            return (self._standardised(features) @ self._weight + self._bias).argmax(dim=1)

    def _standardised(self, features: Tensor) -> Tensor:
        return ((features - self._mean) * self._scale).clamp(-8, 8)
