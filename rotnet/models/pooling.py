"""Pools of maps whose gradients are the same bits each time, on a CUDA device too.

There torch adds up the gradients of windows that overlap in whichever order threads come. Here each
place of a window is added in turn; no two windows share one, so that the order is fixed.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import max_pool3d, pad

Triple = tuple[int, int, int]


def max_pool(
    maps: Tensor,
    kernel: int | Triple,
    stride: int | Triple | None = None,
    padding: int | Triple = 0,
    *,
    ceil_mode: bool = False,
) -> Tensor:
    """Return max_pool3d of maps (B, C, T, H, W), deterministic where torch is asked to be.

    Args:
        maps: to be pooled.
        kernel: of the windows, in time, height and width.
        stride: from window to window; None is the kernel.
        padding: on either side, by what is less than all.
        ceil_mode: whether a last window that is not full counts.
    """
    if maps.is_cuda and torch.are_deterministic_algorithms_enabled():
        return deterministic_max_pool(maps, kernel, stride, padding, ceil_mode=ceil_mode)
    return max_pool3d(maps, kernel, stride, padding, ceil_mode=ceil_mode)


def deterministic_max_pool(
    maps: Tensor,
    kernel: int | Triple,
    stride: int | Triple | None = None,
    padding: int | Triple = 0,
    *,
    ceil_mode: bool = False,
) -> Tensor:
    """Return what `max_pool` does, by the deterministic gradient on any device."""
    sizes = _triple(kernel)
    return _MaxPool.apply(
        maps, sizes, sizes if stride is None else _triple(stride), _triple(padding), ceil_mode
    )


def deterministic_avg_pool(
    maps: Tensor,
    kernel: int | Triple,
    stride: int | Triple | None = None,
    padding: int | Triple = 0,
) -> Tensor:
    """Return avg_pool3d of maps (B, C, T, H, W), zeros of the padding counted in, as there."""
    sizes = _triple(kernel)
    strides = sizes if stride is None else _triple(stride)
    padded = pad(maps, _around(_triple(padding)))
    shape = _windows(padded.shape[2:], sizes, strides)
    total = torch.zeros_like(padded[next(_places(shape, sizes, strides))])
    for place in _places(shape, sizes, strides):
        total = total + padded[place]
    return total / (sizes[0] * sizes[1] * sizes[2])


def deterministic_adaptive_avg_pool(maps: Tensor, output: int | Triple) -> Tensor:
    """Return adaptive_avg_pool3d of maps (B, C, T, H, W).

    Of an axis of length L, bin i of n is [i * L // n, -(-(i + 1) * L // n)). Each axis is averaged
    by a matrix; matrices multiply deterministically.
    """
    for axis, bins in enumerate(_triple(output), start=2):
        length = maps.shape[axis]
        shares = maps.new_zeros(bins, length)
        for index in range(bins):
            begin, end = index * length // bins, -(-(index + 1) * length // bins)
            shares[index, begin:end] = 1 / (end - begin)
        maps = (maps.movedim(axis, -1) @ shares.T).movedim(-1, axis)
    return maps


class _MaxPool(torch.autograd.Function):
    """max_pool3d, with a gradient that is added up place by place of the window."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401  (torch's own has no type that knows what is kept on it)
        maps: Tensor,
        kernel: Triple,
        stride: Triple,
        padding: Triple,
        ceil_mode: bool,
    ) -> Tensor:
        pooled, indices = max_pool3d(
            maps, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True
        )
        ctx.save_for_backward(indices)
        ctx.geometry = (maps.shape, kernel, stride, padding)
        return pooled

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:  # noqa: ANN401
        (indices,) = ctx.saved_tensors
        shape, kernel, stride, padding = ctx.geometry
        chosen = _place_in_window(indices, shape[2:], kernel, stride, padding)
        windows = gradient.shape[2:]
        room = tuple(
            max(size + 2 * p, (n - 1) * s + k)
            for size, p, n, s, k in zip(shape[2:], padding, windows, stride, kernel, strict=True)
        )
        found = gradient.new_zeros(*shape[:2], *room)
        for number, place in enumerate(_places(windows, kernel, stride)):
            found[place] += gradient * (chosen == number)
        time, down, across = (
            slice(p, p + size) for p, size in zip(padding, shape[2:], strict=True)
        )
        return found[..., time, down, across], None, None, None, None


def _place_in_window(
    indices: Tensor, sizes: tuple[int, ...], kernel: Triple, stride: Triple, padding: Triple
) -> Tensor:
    """Return, for each window, which of its places holds the largest value.

    Args:
        indices: (B, C, T', H', W') as max_pool3d gives them: of (T, H, W), flattened.
        sizes: T, H, W.
        kernel: of the windows.
        stride: from window to window.
        padding: before the first place.
    """
    rest, places = indices, []
    for axis in (2, 1, 0):
        along = rest % sizes[axis]
        rest = rest // sizes[axis]
        first = torch.arange(indices.shape[axis + 2], device=indices.device) * stride[axis]
        shape = [1] * 5
        shape[axis + 2] = -1
        places.append(along - (first - padding[axis]).view(shape))
    across, down, time = places
    return (time * kernel[1] + down) * kernel[2] + across


def _places(
    windows: tuple[int, ...], kernel: Triple, stride: Triple
) -> Iterator[tuple[Any, slice, slice, slice]]:
    """Yield, for each place of a window in turn, where in padded maps the windows have it."""
    for offsets in product(*(range(size) for size in kernel)):
        t, h, w = (
            slice(offset, offset + (n - 1) * step + 1, step)
            for offset, n, step in zip(offsets, windows, stride, strict=True)
        )
        yield (..., t, h, w)


def _windows(sizes: tuple[int, ...], kernel: Triple, stride: Triple) -> Triple:
    t, h, w = ((n - k) // s + 1 for n, k, s in zip(sizes, kernel, stride, strict=True))
    return t, h, w


def _around(padding: Triple) -> tuple[int, ...]:
    """Return the padding as torch's pad takes it: last axis first, both sides."""
    return tuple(side for axis in reversed(padding) for side in (axis, axis))


def _triple(value: int | Triple) -> Triple:
    return (value, value, value) if isinstance(value, int) else value
