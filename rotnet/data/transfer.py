"""How tensors come to the device, so that nobody waits for what it is at."""

import torch
from torch import Tensor


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the CPU on a device.

    To a CUDA device it goes from pinned memory and is on its way when this returns; whatever reads
    it there comes after. From other memory a copy waits until the device has done all it was given.
    """
    if device.type != "cuda" or tensor.is_cuda:
        return tensor.to(device)
    pinned = tensor if tensor.is_pinned() else tensor.pin_memory()
    return pinned.to(device, non_blocking=True)
