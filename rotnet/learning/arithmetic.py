"""How much arithmetic a training step is, by two counts, and how fast a device multiplies."""

from time import perf_counter

import torch
from torch.utils.flop_counter import FlopCounterMode

from rotnet.config import ClipConfig, ModelConfig
from rotnet.models.freezing import freeze
from rotnet.models.layers import network
from rotnet.models.net import build

_COUNTED = 2  # views that torch counts; all cost alike


def layers_flops(
    model: ModelConfig, clip: ClipConfig, num_outputs: int, frozen: int = 0
) -> int | None:
    """Return the operations of one view forward and backward, by `rotnet.models.layers`.

    None for a backbone of another package.
    """
    found = network(model, clip.frames, clip.size, num_outputs)
    return None if found is None else found.training_flops(frozen)


def torch_flops(model: ModelConfig, clip: ClipConfig, num_outputs: int, frozen: int = 0) -> int:
    """Return the same by torch's own counter, which sees the network run on shapes alone."""
    net = build(model, num_outputs, seed=0).to("meta")
    freeze(net, frozen)
    net.train()
    views = torch.empty(_COUNTED, 3, clip.frames, clip.size, clip.size, device="meta")
    with FlopCounterMode(display=False) as counter:
        outputs = net(views)
        if outputs.requires_grad:
            outputs.sum().backward()
    return counter.get_total_flops() // _COUNTED


def matmul_rate(device: torch.device, dtype: torch.dtype, seconds: float = 0.5) -> float:
    """Return the operations a second that a large product of matrices reaches on a device.

    In float32 on a CUDA device it is TF32's where convolutions may use that.

    Args:
        device: that multiplies.
        dtype: of the matrices, which are random: zeros are multiplied faster on some devices.
        seconds: to measure for, after one product that is not counted.
    """
    side = 8192 if device.type == "cuda" else 1024
    one, other = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        _wait(one @ other)
        count, begin = 0, perf_counter()
        while perf_counter() - begin < seconds:
            _wait(one @ other)
            count += 1
        return count * 2 * side**3 / (perf_counter() - begin)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _wait(product: torch.Tensor) -> None:
    if product.is_cuda:
        torch.cuda.synchronize(product.device)
