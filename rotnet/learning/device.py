"""The device a stage computes on, and in which number format."""

from contextlib import AbstractContextManager

import torch

from rotnet.config import TrainConfig
from rotnet.errors import UserError


def find_device() -> torch.device:
    """Return the first CUDA device that this process may use, else the CPU."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def autocast(config: TrainConfig, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a forward pass runs.

    Raises:
        UserError: if fp16 is asked of a CPU.
    """
    if config.precision == "fp16" and device.type != "cuda":
        raise UserError("precision fp16 needs a CUDA device, and there is none; use bf16 or fp32")
    dtype = torch.float16 if config.precision == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype, enabled=config.precision != "fp32")
