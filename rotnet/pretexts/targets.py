"""What is to be said of a rotation, and how wrong an answer is: three ways to put an angle."""

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from rotnet.config import PretextConfig


class AngleTarget(Protocol):
    """How an angle is put to a network; an `Objective` that knows how many outputs it takes."""

    num_outputs: int

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of outputs (N, num_outputs) on indices of angles (N,), a scalar."""

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the index (N,) of the angle that outputs speak for."""

    def measure(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        """Return the circular error (N,) in degrees."""


class Softmax:
    """One of K angles, or a bell around the true one on the circle."""

    def __init__(self, config: PretextConfig) -> None:
        self._angles = torch.tensor(config.angles, dtype=torch.float32)
        self.num_outputs = len(config.angles)
        self._table: Tensor | None = None
        if config.smoothing:
            apart = circular_distance(self._angles[:, None], self._angles[None, :])
            self._table = torch.softmax(-(apart**2) / (2 * config.smoothing**2), dim=1)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, a scalar."""
        if self._table is None:
            return cross_entropy(outputs, targets)
        return cross_entropy(outputs, self._table.to(outputs.device)[targets])

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the index (N,) of the angle that outputs (N, K) speak for."""
        return outputs.argmax(1)

    def measure(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        """Return the circular error (N,) in degrees, of the most probable angle."""
        angles = self._angles.to(outputs.device)
        said = angles[self.predict(outputs)]
        return {"circular_error": circular_distance(said, angles[targets])}


class Regression:
    """An angle that is said outright, and then held against those of the set."""

    def __init__(self, config: PretextConfig) -> None:
        self._angles = torch.tensor(config.angles, dtype=torch.float32)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the index (N,) of the angle nearest to that of outputs (N, num_outputs)."""
        return _nearest(self._said(outputs), self._angles.to(outputs.device))

    def measure(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        """Return the circular error (N,) in degrees, of the angle said."""
        true = self._angles.to(outputs.device)[targets]
        return {"circular_error": circular_distance(self._said(outputs), true)}

    def _said(self, outputs: Tensor) -> Tensor:
        """Return the angles (N,) in degrees that outputs speak of."""
        raise NotImplementedError


class SineCosine(Regression):
    """The angle's cosine and sine: a regression without a seam at 0 degrees."""

    num_outputs = 2

    def __init__(self, config: PretextConfig) -> None:
        super().__init__(config)
        radians = torch.deg2rad(self._angles)
        self._points = torch.stack([torch.cos(radians), torch.sin(radians)], dim=1)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error of cosine and sine, a scalar."""
        return mse_loss(outputs, self._points.to(outputs.device)[targets])

    def _said(self, outputs: Tensor) -> Tensor:
        return torch.rad2deg(torch.atan2(outputs[:, 1], outputs[:, 0])) % 360


class Scalar(Regression):
    """The angle as a share of a full turn. Known to be poor: 359 and 0 degrees are far apart.

    A sigmoid keeps what is said within a turn, as in the image regressor of d4nst/RotNet, whose
    author includes it for illustration only.
    """

    num_outputs = 1

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error of the share of a turn, a scalar."""
        return mse_loss(self._said(outputs) / 360, self._angles.to(outputs.device)[targets] / 360)

    def _said(self, outputs: Tensor) -> Tensor:
        return torch.sigmoid(outputs[:, 0]) * 360


TARGETS: Mapping[str, Callable[[PretextConfig], AngleTarget]] = {
    "softmax": Softmax,
    "sincos": SineCosine,
    "scalar": Scalar,
}


def circular_distance(one: Tensor, other: Tensor) -> Tensor:
    """Return the degrees between directions, in [0, 180]: between 359 and 1 there are 2."""
    apart = (one - other).abs() % 360
    return torch.minimum(apart, 360 - apart)


def _nearest(said: Tensor, angles: Tensor) -> Tensor:
    return circular_distance(said[:, None], angles[None, :]).argmin(1)
