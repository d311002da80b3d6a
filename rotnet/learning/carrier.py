"""Batches on their way to the device while it is at the one before."""

import torch
from torch import Tensor

from rotnet.data.loader import Batch


class Carrier:
    """Brings batches to a device.

    A CUDA device copies them on a stream of their own: the copy of a batch passes while the device
    still computes the step before, which it was given without waiting for it.

    Args:
        device: where to.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def bring(self, batch: Batch) -> Batch:
        """Return a batch on the device; what reads it there waits for it."""
        if self._stream is None:
            return batch.to(self._device)
        with torch.cuda.stream(self._stream):
            there = batch.to(self._device)
        now = torch.cuda.current_stream(self._device)
        now.wait_stream(self._stream)
        for tensor in (there.clips, there.labels, there.seams):
            _used_on(tensor, now)
        return there


def _used_on(tensor: Tensor, stream: torch.cuda.Stream) -> None:
    """Keep the memory of a tensor from being given away before the stream has done with it."""
    if tensor.is_cuda:
        tensor.record_stream(stream)
