"""Pools with a fixed order of sums are torch's pools, forward and back."""

from typing import Any

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool3d, avg_pool3d, max_pool3d

from rotnet.models.pooling import (
    deterministic_adaptive_avg_pool,
    deterministic_avg_pool,
    deterministic_max_pool,
    max_pool,
)


def gradient_of(pooled: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    weights = torch.rand(pooled.shape, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((pooled * weights.to(pooled.device)).sum(), maps)
    return gradient


def some_maps(*shape: int) -> torch.Tensor:
    """With ties in plenty, as a ReLU leaves them."""
    maps = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(0)).relu()
    return maps.requires_grad_()


@pytest.mark.parametrize("shape", [(8, 16, 16), (5, 7, 9), (1, 2, 3), (3, 3, 1)])
@pytest.mark.parametrize(
    "window",
    [
        {"kernel": 3, "stride": 2, "padding": 1},
        {"kernel": 2, "ceil_mode": True},
        {"kernel": (1, 2, 2), "ceil_mode": True},
        {"kernel": (3, 2, 3), "stride": (1, 2, 2), "padding": (1, 0, 1), "ceil_mode": True},
    ],
)
def test_max_pool_gives_torchs_values_and_gradients(
    shape: tuple[int, ...], window: dict[str, Any]
) -> None:
    maps = some_maps(*shape)
    if shape[2] == 1 and window["kernel"] == (3, 2, 3):
        maps = some_maps(3, 3, 2)
    theirs = max_pool3d(
        maps,
        window["kernel"],
        window.get("stride"),
        window.get("padding", 0),
        ceil_mode=window.get("ceil_mode", False),
    )
    ours = deterministic_max_pool(maps, **window)
    assert torch.equal(ours, theirs)
    torch.testing.assert_close(gradient_of(ours, maps), gradient_of(theirs, maps))


def test_a_value_that_several_windows_choose_gets_what_all_of_them_send_back() -> None:
    maps = torch.zeros(1, 1, 3, 3, 3)
    maps[0, 0, 1, 1, 1] = 1.0
    maps.requires_grad_()
    pooled = deterministic_max_pool(maps, 2, 1)
    (gradient,) = torch.autograd.grad(pooled.sum(), maps)
    assert gradient[0, 0, 1, 1, 1] == 8
    assert gradient.sum() == 8


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1), (3, 1, 1)])
def test_average_pool_gives_torchs_values_and_gradients(
    kernel: int, stride: int | None, padding: int
) -> None:
    maps = some_maps(6, 7, 8)
    theirs = avg_pool3d(maps, kernel, stride, padding)
    ours = deterministic_avg_pool(maps, kernel, stride, padding)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient_of(ours, maps), gradient_of(theirs, maps))


@pytest.mark.parametrize("output", [1, 2, (3, 2, 5), (4, 7, 9)])
def test_adaptive_average_pool_gives_torchs_values_and_gradients(
    output: int | tuple[int, int, int],
) -> None:
    maps = some_maps(4, 7, 9)
    theirs = adaptive_avg_pool3d(maps, output)
    ours = deterministic_adaptive_avg_pool(maps, output)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient_of(ours, maps), gradient_of(theirs, maps))


def test_on_a_cpu_torch_pools_by_itself() -> None:
    maps = some_maps(4, 8, 8)
    theirs, ours = max_pool3d(maps, 3, 2, 1), max_pool(maps, 3, 2, 1)
    assert torch.equal(gradient_of(ours, maps), gradient_of(theirs, maps))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_device_gradients_are_the_same_bits_each_time_and_those_of_a_cpu() -> None:
    maps = torch.randn(8, 16, 8, 32, 32)
    there = maps.cuda().requires_grad_()
    torch.use_deterministic_algorithms(mode=True)
    try:
        found = [gradient_of(max_pool(there, 3, 2, 1), there) for _ in range(5)]
    finally:
        torch.use_deterministic_algorithms(mode=False)
    assert all(torch.equal(one, found[0]) for one in found)
    maps.requires_grad_()
    torch.testing.assert_close(found[0].cpu(), gradient_of(max_pool3d(maps, 3, 2, 1), maps))
