"""What networks multiply, by their layers as numbers and by torch's own count on the real ones."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from rotnet.config import ModelConfig
from rotnet.models.freezing import freeze
from rotnet.models.layers import Network, network
from rotnet.models.net import build

NETS = {
    "resnet3d-18": ModelConfig(),
    "resnet3d-18, quarter width": ModelConfig(width=16),
    "resnet3d-34, shortcut B": ModelConfig(depth=34, width=32, shortcut="B"),
    "resnet3d-50": ModelConfig(depth=50, width=16),
    "resnet3d-50, shortcut B": ModelConfig(depth=50, width=16, shortcut="B"),
    "r3d_18": ModelConfig(backbone="r3d_18", hidden=512),
    "mc3_18": ModelConfig(backbone="mc3_18"),
    "r2plus1d_18": ModelConfig(backbone="r2plus1d_18"),
    "c3d": ModelConfig(backbone="c3d"),
}
FRAMES, SIZE, CLASSES = 4, 32, 7


def counted(config: ModelConfig, frozen: int, frames: int, size: int) -> tuple[int, int]:
    """What torch counts of one clip: forward, and forward with backward."""
    model = build(config, CLASSES, seed=0)
    freeze(model, frozen)
    clips, labels = torch.zeros(2, 3, frames, size, size), torch.zeros(2, dtype=torch.int64)
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        model(clips)
    with FlopCounterMode(display=False) as both:
        cross_entropy(model(clips), labels).backward()
    return forward.get_total_flops() // 2, both.get_total_flops() // 2


def layers(config: ModelConfig, frames: int = FRAMES, size: int = SIZE) -> Network:
    found = network(config, frames, size, CLASSES)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NETS)
def test_flops_are_those_that_torch_counts(name: str) -> None:
    found = layers(NETS[name])
    forward, both = counted(NETS[name], 0, FRAMES, SIZE)
    assert found.forward_flops == pytest.approx(forward, rel=0.001)
    assert found.training_flops() == pytest.approx(both, rel=0.001)


@pytest.mark.parametrize("frozen", [1, 3, 5])
@pytest.mark.parametrize("name", ["resnet3d-18, quarter width", "r3d_18", "c3d"])
def test_frozen_stages_are_gone_through_forward_only(name: str, frozen: int) -> None:
    _, both = counted(NETS[name], frozen, FRAMES, SIZE)
    assert layers(NETS[name]).training_flops(frozen) == pytest.approx(both, rel=0.001)


@pytest.mark.parametrize("name", ["resnet3d-18, quarter width", "mc3_18", "c3d"])
def test_clips_whose_size_no_stride_divides_are_counted_too(name: str) -> None:
    forward, _ = counted(NETS[name], 0, 7, 37)
    assert layers(NETS[name], 7, 37).forward_flops == pytest.approx(forward, rel=0.001)


@pytest.mark.parametrize("name", NETS)
def test_weights_are_those_that_a_network_saves(name: str) -> None:
    state = build(NETS[name], CLASSES, seed=0).state_dict().values()
    floats = sum(value.numel() for value in state if value.is_floating_point())
    assert layers(NETS[name]).weights == floats


def test_r3d_18_takes_as_much_as_torchvision_says_of_it() -> None:
    found = network(ModelConfig(backbone="r3d_18", hidden=512), 16, 112, 400)
    assert found is not None
    assert found.forward_flops / 2e9 == pytest.approx(
        40.7, rel=0.01
    )  # _ops of R3D_18_Weights: products, in 1e9
