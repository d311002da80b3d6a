"""What a pretext is: the seam at which another task without labels takes the place of rotation.

Register a function (config: PretrainConfig) -> Pretext under the entry point group
`rotnet.pretexts`: its name is then a `pretext.task` and an `init`; `pretext.options` is its own.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from rotnet.config import ClipConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.registry import PRETEXTS

# Frames (B, T or T + 1, H, W, 3) and seams (B, T) -> network input (B, 3, T, H, W).
Show = Callable[[Tensor, Tensor], Tensor]


class Objective(Protocol):
    """What outputs are to be, and how far from it they are."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of outputs (N, num_outputs) on targets (N,), a scalar."""

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the targets (N,) that outputs speak for."""

    def measure(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        """Return further figures of each output, (N,) each, whose means are reported."""


class Pretext(Objective, Protocol):
    """A task whose answers are known because the clip was made so."""

    @property
    def read(self) -> ClipConfig:
        """What the loader reads of a video; a DIF input reads one frame more, as always."""

    @property
    def num_outputs(self) -> int:
        """How many numbers the network says of a view."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the targets 0, 1, ... are called."""

    @property
    def copies(self) -> int:
        """Views made of one clip."""

    def make(self, batch: Batch, show: Show, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return views and what is to be said of them.

        Where several processes share a batch, each is given some of its clips. A task that says
        `divides = True` then draws for all `batch.size` of them, and takes its own by `batch.own`;
        one that does not say so is learnt by one process only.

        Args:
            batch: clips as `read` asks for, on the device.
            show: turns frames into network input; call it before or after changing them.
            chance: the only source of chance, on the CPU.

        Returns:
            (B * copies, 3, T, size, size), the views of a clip side by side, so that any part of a
            batch made of whole clips shows every target equally often; and targets (B * copies,)
            int64 on the same device.
        """


def make_pretext(config: PretrainConfig) -> Pretext:
    """Return the pretext that a pretraining is configured for."""
    return PRETEXTS.load(config.pretext.task)(config)
