"""The running statistics of batch normalisation, kept by several processes as by one.

One process that goes through a batch's parts one after another moves a layer's running value r by
each part's own, b: r becomes (1 - m) r + m b. After parts 1 to n that is (1 - m)^n r and, of each
part i, m (1 - m)^(n - i) b_i. Each process knows the terms of its own parts; their sum is the same.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from rotnet.errors import UserError
from rotnet.learning.division import Division


class Running:
    """Brings the running statistics of all processes together, once a step.

    Args:
        model: its layers of batch normalisation, as far as they learn.
        division: of the batch.

    Raises:
        UserError: if a layer averages over all that it has ever seen (momentum None).
    """

    def __init__(self, model: nn.Module, division: Division) -> None:
        self._division = division
        self._layers = [
            one
            for one in model.modules()
            if isinstance(one, _BatchNorm) and one.track_running_stats
        ]
        if any(one.momentum is None for one in self._layers):
            raise UserError(
                "a network whose batch normalisation has no momentum cannot be trained by several "
                "processes; use one, or another backbone"
            )
        self._before: list[tuple[_BatchNorm, list[Tensor]]] = []

    def begin(self) -> None:
        """Note what the statistics are before a step, of the layers that learn."""
        self._before = [
            (one, [value.clone() for value in _values(one)]) for one in self._layers if one.training
        ]

    def own_terms(self) -> list[Tensor]:
        """Return what this process adds to each statistic: those of its own parts, weighted."""
        here, terms = self._division, []
        for layer, before in self._before:
            keep = 1.0 - (layer.momentum or 0.0)
            weight = keep**here.after / here.sharers
            for value, old in zip(_values(layer), before, strict=True):
                terms.append((value - keep**here.own_parts * old) * weight)
        return terms

    def end(self, terms: list[Tensor]) -> None:
        """Set the statistics by the terms of all processes, summed."""
        summed = iter(terms)
        with torch.no_grad():
            for layer, before in self._before:
                keep = (1.0 - (layer.momentum or 0.0)) ** self._division.parts
                for value, old in zip(_values(layer), before, strict=True):
                    value.copy_(keep * old + next(summed))
                if layer.num_batches_tracked is not None:
                    layer.num_batches_tracked += self._division.parts - self._division.own_parts


def _values(layer: _BatchNorm) -> list[Tensor]:
    return [one for one in (layer.running_mean, layer.running_var) if one is not None]
