"""What training keeps count of between reports: losses, hits, and whether losses are numbers.

All of it is tensors, so that no step waits for the device.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from rotnet.config import TrainConfig
from rotnet.learning.schedule import learning_rate


@dataclass
class Tally:
    """Sums since the last report."""

    loss: Tensor
    correct: Tensor
    seen: int = 0
    steps: int = 0

    @classmethod
    def empty(cls, device: torch.device) -> "Tally":
        """Return one that has seen nothing."""
        return cls(torch.zeros((), device=device), torch.zeros((), device=device))

    def add(self, loss: Tensor, correct: Tensor, seen: int) -> None:
        """Take a step: its mean loss, and how many of its targets were told."""
        self.loss += loss.detach()
        self.correct += correct
        self.seen += seen
        self.steps += 1

    def metrics(self) -> dict[str, float]:
        """Return mean loss and accuracy; this waits for the device."""
        return {"loss": self.loss.item() / self.steps, "accuracy": self.correct.item() / self.seen}


@dataclass
class Health:
    """Whether losses are numbers; no part of a checkpoint.

    Args:
        bad_since: the first step whose loss was none; infinity before.
        norm: of the gradient, at the last step whose norm was finite.
    """

    bad_since: Tensor
    norm: Tensor

    @classmethod
    def good(cls, device: torch.device) -> "Health":
        """Return that of a training in which nothing is wrong."""
        return cls(torch.full((), torch.inf, device=device), torch.zeros((), device=device))

    def look(self, step: int, loss: Tensor, norm: Tensor) -> None:
        """Take a step, counted from 1: its loss, and the norm of its gradient."""
        bad = torch.where(torch.isfinite(loss.detach()), torch.inf, float(step))
        self.bad_since = torch.minimum(self.bad_since, bad)
        self.norm = torch.where(torch.isfinite(norm), norm, self.norm)

    def check(self, config: TrainConfig, steps_per_epoch: int) -> None:
        """Raise FloatingPointError if a loss was no number; this waits for the device."""
        if not torch.isfinite(self.bad_since):
            return
        step = int(self.bad_since)
        lr = learning_rate(step - 1, steps_per_epoch, config)
        raise FloatingPointError(
            f"the loss is no number since step {step}, with learning rate {lr:g} and a gradient "
            f"whose norm was last {self.norm.item():.3g}; lower lr, lengthen warmup_epochs, or set "
            "clip_gradient"
        )
