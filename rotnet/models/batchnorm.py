"""The statistics of batch normalisation, taken anew for a network whose own fit nothing."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

STATISTICS = (32, 16)  # batches, and clips in each: 512 clips give a random network its statistics


def reestimate(model: nn.Module, inputs: Iterable[Tensor]) -> int:
    """Set the statistics of batch normalisation to the mean of the batches' own, and nothing else.

    All batches count alike; the variance is the mean of the batches' unbiased variances, as torch
    keeps it. No weight moves, and whatever else differs in training, such as dropout, is off.

    Args:
        model: on its device; left in eval mode.
        inputs: batches (B, 3, T, H, W) of network inputs.

    Returns:
        How many batches there were.
    """
    model.eval()
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # torch's word for a cumulative average
        layer.train()
    count = 0
    with torch.no_grad():
        for count, clips in enumerate(inputs, 1):  # noqa: B007  (the count is what is returned)
            model(clips)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.eval()
    return count
