"""A convolution that leaves out what only meets padding is torch's convolution."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rotnet.models.convolution import Conv3d
from rotnet.models.layers import reached


@given(size=st.integers(1, 9), kernel=st.sampled_from([1, 3, 5, 7]), stride=st.integers(1, 3))
def test_a_tap_is_reached_that_meets_a_value_at_some_place(
    size: int, kernel: int, stride: int
) -> None:
    half, places = kernel // 2, (size - 1) // stride + 1
    meets = [
        tap
        for tap in range(kernel)
        if any(0 <= place * stride + tap - half < size for place in range(places))
    ]
    found = reached(size, kernel, stride)
    assert (found.start, found.stop) == (meets[0], meets[-1] + 1)


@pytest.mark.parametrize("maps", [(1, 1, 1), (1, 2, 2), (2, 4, 3), (4, 1, 9)])
@pytest.mark.parametrize(("kernel", "stride"), [(3, (1, 1, 1)), (3, (2, 2, 2)), (7, (1, 2, 2))])
def test_values_and_gradients_are_torchs(
    maps: tuple[int, int, int], kernel: int, stride: tuple[int, int, int]
) -> None:
    torch.manual_seed(0)
    plain = nn.Conv3d(4, 5, kernel, stride=stride, padding=kernel // 2, bias=False)
    ours = Conv3d(4, 5, kernel, stride=stride, padding=kernel // 2, bias=False)
    ours.load_state_dict(plain.state_dict())
    results = []
    for layer in (plain, ours):
        given_maps = torch.randn(3, 4, *maps, generator=torch.Generator().manual_seed(1))
        given_maps.requires_grad_()
        made = layer(given_maps)
        weights = torch.rand(made.shape, generator=torch.Generator().manual_seed(2))
        (made * weights).sum().backward()
        results.append((made, given_maps.grad, layer.weight.grad))
    for theirs, found in zip(*results, strict=True):
        assert theirs is not None
        torch.testing.assert_close(found, theirs)


def test_taps_that_are_left_out_have_a_gradient_of_zero() -> None:
    layer = Conv3d(2, 2, 3, padding=1, bias=False)
    layer(torch.randn(2, 2, 1, 1, 1)).sum().backward()
    assert layer.weight.grad is not None
    middle = layer.weight.grad[:, :, 1, 1, 1].clone()
    assert middle.abs().sum() > 0
    assert layer.weight.grad.abs().sum() == middle.abs().sum()
