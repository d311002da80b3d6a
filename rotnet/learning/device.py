"""The device a stage computes on, in which number format, and by which algorithms."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from rotnet.config import TrainConfig
from rotnet.errors import UserError


def find_device() -> torch.device:
    """Return the CUDA device that this process is set to, at first its first one; else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # cuBLAS reads it once, and a deterministic training may come after others: 8 buffers of 4 MiB.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return torch.device("cuda", torch.cuda.current_device())


def autocast(config: TrainConfig, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a forward pass runs.

    Raises:
        UserError: if fp16 is asked of a CPU.
    """
    if config.precision == "fp16" and device.type != "cuda":
        raise UserError("precision fp16 needs a CUDA device, and there is none; use bf16 or fp32")
    dtype = torch.float16 if config.precision == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype, enabled=config.precision != "fp32")


@contextmanager
def computing(config: TrainConfig, device: torch.device) -> Iterator[None]:
    """Have a CUDA device compute by the quickest algorithms, or by those that repeat themselves.

    Shapes are the same at every step, so cuDNN may try its convolutions and keep the quickest.
    A CPU has one way, which repeats itself for an equal number of threads. As before, after.
    """
    if device.type != "cuda":
        yield
        return
    before = torch.backends.cudnn.benchmark, torch.are_deterministic_algorithms_enabled()
    torch.backends.cudnn.benchmark = not config.deterministic
    torch.use_deterministic_algorithms(config.deterministic)
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before[0]
        torch.use_deterministic_algorithms(before[1])
