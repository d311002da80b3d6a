"""The network is the released one."""

import pytest
import torch
from torch import nn
from torch.nn.functional import max_pool3d, relu

from rotnet.config import ModelConfig
from rotnet.models.net import HEAD, build
from rotnet.models.resnet3d import ResNet3D, ZeroPad

# (name, shape) of the released network with 4 classes, from the facts of its resnet.py.
STEM = [("conv1.weight", (64, 3, 7, 7, 7)), ("bn1.weight", (64,)), ("bn1.bias", (64,))]
KINDS = ("weight", "bias")


def released_parameters(shortcut: str) -> list[tuple[str, tuple[int, ...]]]:
    parameters = list(STEM)
    channels_in = 64
    for stage, channels in enumerate((64, 128, 256, 512), 1):
        for block in range(2):
            prefix = f"layer{stage}.{block}"
            parameters += [
                (f"{prefix}.conv1.weight", (channels, channels_in, 3, 3, 3)),
                (f"{prefix}.bn1.weight", (channels,)),
                (f"{prefix}.bn1.bias", (channels,)),
                (f"{prefix}.conv2.weight", (channels, channels, 3, 3, 3)),
                (f"{prefix}.bn2.weight", (channels,)),
                (f"{prefix}.bn2.bias", (channels,)),
            ]
            if shortcut == "B" and stage > 1 and block == 0:
                parameters += [
                    (f"{prefix}.downsample.0.weight", (channels, channels_in, 1, 1, 1)),
                    (f"{prefix}.downsample.1.weight", (channels,)),
                    (f"{prefix}.downsample.1.bias", (channels,)),
                ]
            channels_in = channels
    head = [("fc1.weight", (64, 512)), ("fc1.bias", (64,)), ("fc2.weight", (4, 64))]
    return [*parameters, *head, ("fc2.bias", (4,))]


@pytest.mark.parametrize("shortcut", ["A", "A-detached", "B"])
def test_parameters_have_the_released_names_order_and_shapes(shortcut: str) -> None:
    model = build(ModelConfig.model_validate({"shortcut": shortcut}), 4, seed=0)
    found = [(name, tuple(parameter.shape)) for name, parameter in model.named_parameters()]
    assert found == released_parameters(shortcut)


@pytest.mark.parametrize("depth", [34, 50])
def test_deeper_ones_have_the_names_and_shapes_of_hara_et_al(depth: int) -> None:
    model = build(ModelConfig.model_validate({"depth": depth, "shortcut": "B"}), 4, seed=0)
    shapes = {name: tuple(each.shape) for name, each in model.named_parameters()}
    expected: dict[str, tuple[int, ...]] = dict(STEM)
    channels_in, wide = 64, 4 if depth == 50 else 1
    for stage, (blocks, channels) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
        for block in range(blocks):
            kernels = [(channels, channels_in, 3, 3, 3), (channels, channels, 3, 3, 3)]
            if depth == 50:
                kernels[0] = (channels, channels_in, 1, 1, 1)
                kernels.append((4 * channels, channels, 1, 1, 1))
            prefix = f"layer{stage}.{block}"
            for number, kernel in enumerate(kernels, 1):
                expected[f"{prefix}.conv{number}.weight"] = kernel
                expected |= {f"{prefix}.bn{number}.{kind}": kernel[:1] for kind in KINDS}
            if block == 0 and channels_in != wide * channels:
                kernel = (wide * channels, channels_in, 1, 1, 1)
                expected[f"{prefix}.downsample.0.weight"] = kernel
                expected |= {f"{prefix}.downsample.1.{kind}": kernel[:1] for kind in KINDS}
            channels_in = wide * channels
    trunk = {name: shape for name, shape in shapes.items() if name.split(".")[0] not in HEAD}
    assert trunk == expected
    assert shapes["fc1.weight"] == (64, 512 * wide)


def test_a_bottleneck_strides_in_its_middle_convolution() -> None:
    model = build(ModelConfig(width=1, depth=50, shortcut="B"), 4, seed=0)
    strides = {
        name: module.stride[0]
        for name, module in model.named_modules()
        if name.startswith("layer2.0") and isinstance(module, nn.Conv3d)
    }
    assert strides == {
        "layer2.0.conv1": 1,
        "layer2.0.conv2": 2,
        "layer2.0.conv3": 1,
        "layer2.0.downsample.0": 2,
    }


def test_maps_have_the_released_sizes() -> None:
    model = build(ModelConfig(width=4), 4, seed=0).eval()
    sizes: dict[str, tuple[int, ...]] = {}
    for name in ("conv1", "layer1", "layer2", "layer3", "layer4"):
        model.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, out, name=name: sizes.update({name: tuple(out.shape[2:])})
        )
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 16, 112, 112)).shape == (1, 4)
    assert sizes == {
        "conv1": (16, 56, 56),
        "layer1": (8, 28, 28),
        "layer2": (4, 14, 14),
        "layer3": (2, 7, 7),
        "layer4": (1, 4, 4),
    }


@pytest.mark.parametrize(("frames", "size"), [(1, 8), (8, 32), (17, 33), (20, 65), (64, 112)])
def test_the_size_of_the_last_map_is_known_beforehand(frames: int, size: int) -> None:
    model = build(ModelConfig(width=1), 4, seed=0).eval()
    with torch.inference_mode():
        shape = model.maps(torch.zeros(1, 3, frames, size, size))["layer4"].shape
    duration, side = ResNet3D.map_size("layer4", frames, size)
    assert shape == (1, 8, duration, side, side)


def test_equal_seeds_give_equal_networks_and_leave_the_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second = (build(ModelConfig(width=2), 4, seed=1).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.get_rng_state(), before)
    other = build(ModelConfig(width=2), 4, seed=2).state_dict()
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


@pytest.mark.parametrize(("detach", "expected"), [(False, 1.0), (True, None)])
def test_only_the_detached_shortcut_cuts_the_gradient(detach: bool, expected: float | None) -> None:
    maps = torch.ones(1, 2, 2, 2, 2, requires_grad=True)
    out = ZeroPad(4, 2, detach=detach)(maps)
    assert out.shape == (1, 4, 1, 1, 1)
    assert out[0, :, 0, 0, 0].tolist() == [1, 1, 0, 0]
    if expected is None:
        assert not out.requires_grad
    else:
        out.sum().backward()
        assert maps.grad is not None
        assert maps.grad[0, 0, 0, 0, 0] == expected


def test_the_head_is_all_that_depends_on_the_classes() -> None:
    few, many = (build(ModelConfig(width=2), classes, seed=0) for classes in (4, 10))
    differing = {
        name.split(".")[0]
        for (name, a), (_, b) in zip(few.named_parameters(), many.named_parameters(), strict=True)
        if a.shape != b.shape
    }
    assert differing <= set(HEAD)


@pytest.mark.parametrize("shape", [(4, 20, 20), (3, 17, 9)])
def test_the_stem_pools_before_it_cuts_off_with_the_bits_of_the_other_order(
    shape: tuple[int, int, int],
) -> None:
    net = build(ModelConfig(width=4, hidden=8), 4, seed=0).train()
    assert isinstance(net, ResNet3D)
    clips = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    found = []
    for other_order in (False, True):
        net.zero_grad()
        if other_order:
            pooled = max_pool3d(relu(net.bn1(net.conv1(clips))), 3, stride=2, padding=1)
        else:
            pooled = net.maps(clips)["stem"]
        pooled.square().mean().backward()
        assert net.conv1.weight.grad is not None
        found.append((pooled.detach(), net.conv1.weight.grad.clone()))
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
