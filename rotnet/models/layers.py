"""The layers of every backbone as numbers: what they multiply, and what they hold. No torch.

What a network costs can so be told where no network can be made. Additions that are not part of a
product (batch normalisation, ReLU, pools, sums) are left out, as torch.utils.flop_counter does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import prod

from rotnet.config import ModelConfig

Triple = tuple[int, int, int]  # time, height, width

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}  # of resnet3d's stages, by depth
# Of C3D: stage -> its convolutions and their channels, then (time, space) of the pool it ends with.
C3D_LAYOUT: Mapping[str, tuple[Mapping[str, int], tuple[int, int] | None]] = {
    "conv1": ({"1a": 64}, (1, 2)),
    "conv2": ({"2a": 128}, (2, 2)),
    "conv3": ({"3a": 256, "3b": 256}, (2, 2)),
    "conv4": ({"4a": 512, "4b": 512}, (2, 2)),
    "conv5": ({"5a": 512, "5b": 512}, None),
}
HEAD_STAGE = 5  # every backbone here has five stages, numbered from 0, and then its head


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution with its batch normalisation, or one fully connected layer of the head.

    Args:
        stage: that it is part of, from 0; 5 is the head.
        products: multiplications for one clip, forward.
        weights: its parameters, those of its batch normalisation and the latter's statistics.
        enters: whether it reads what the stage is given, and not what the stage has made.
    """

    stage: int
    products: int
    weights: int
    enters: bool = False


@dataclass(frozen=True)
class Network:
    """A backbone with its head, for clips of one size."""

    layers: tuple[Layer, ...]

    @cached_property
    def forward_flops(self) -> int:
        """Floating-point operations of one clip forward; a multiplication with its sum is two."""
        return 2 * sum(layer.products for layer in self.layers)

    @cached_property
    def weights(self) -> int:
        """How many numbers a saved network holds."""
        return sum(layer.weights for layer in self.layers)

    def training_flops(self, frozen: int = 0) -> int:
        """Return those of one clip forward and backward.

        A layer that learns takes as many again for its weights' gradient, and as many for its
        input's, which nobody needs of what the first stage that learns is given.

        Args:
            frozen: so many stages, from the first, hold still and are gone through forward only.
        """
        return self._training_flops[frozen]

    @cached_property
    def _training_flops(self) -> tuple[int, ...]:
        return tuple(
            self.forward_flops + self._backward(frozen) for frozen in range(HEAD_STAGE + 1)
        )

    def _backward(self, frozen: int) -> int:
        return 2 * sum(
            layer.products * (1 if layer.stage == frozen and layer.enters else 2)
            for layer in self.layers
            if layer.stage >= frozen
        )


@lru_cache(maxsize=4096)
def network(config: ModelConfig, frames: int, size: int, num_outputs: int) -> Network | None:
    """Return the layers of a network.

    Args:
        config: of the network.
        frames: of a clip (T).
        size: side of a clip, in pixels (H = W).
        num_outputs: K.

    Returns:
        None for a backbone that another package registers: its layers are not known here.
    """
    make = _BACKBONES.get(config.backbone)
    if make is None:
        return None
    stages = make(config, (frames, size, size))
    hidden, features = config.hidden, stages.channels
    head = (
        Layer(HEAD_STAGE, features * hidden, (features + 1) * hidden, enters=True),
        Layer(HEAD_STAGE, hidden * num_outputs, (hidden + 1) * num_outputs),
    )
    return Network((*stages.layers, *head))


@dataclass(slots=True)
class _Stages:
    """The layers so far, and what the last of them leaves of a clip.

    Args:
        maps: duration, height and width.
        channels: how many maps.
        layers: first to last.
        leaves_out: whether convolutions leave out what only meets padding
            (`rotnet.models.convolution`).
    """

    maps: Triple
    channels: int = 3
    leaves_out: bool = False
    layers: list[Layer] = field(default_factory=list)

    def conv(
        self,
        stage: int,
        channels: int,
        kernel: Triple,
        stride: Triple = (1, 1, 1),
        *,
        enters: bool = False,
    ) -> None:
        """Add a convolution, padded by half its kernel, which is odd."""
        taps = prod(kernel)
        if self.leaves_out:
            sizes = zip(self.maps, kernel, stride, strict=True)
            taps = prod(len(reached(*each)) for each in sizes)
        self.pool(stride)
        layer = _conv(stage, self.channels, channels, kernel, self.maps, enters=enters)
        self.layers.append(replace(layer, products=layer.products // prod(kernel) * taps))
        self.channels = channels

    def pool(self, stride: Triple) -> None:
        """Keep every stride-th position, a last one that is not whole as well."""
        time, height, width = ((n - 1) // s + 1 for n, s in zip(self.maps, stride, strict=True))
        self.maps = (time, height, width)

    def shortcut(self, stage: int, channels_in: int, *, enters: bool) -> None:
        """Add the convolution of 1 that brings a block's input to what the block leaves."""
        one = (1, 1, 1)
        layer = _conv(stage, channels_in, self.channels, one, self.maps, enters=enters)
        self.layers.append(layer)


def reached(size: int, kernel: int, stride: int) -> range:
    """Return which taps of a kernel meet anything but padding, somewhere along an axis.

    Args:
        size: of the maps along it.
        kernel: taps along it, an odd number; it is padded by half of them.
        stride: from place to place.

    Example:
        Of 3 taps on 1 value the middle one, range(1, 2); at stride 2 on 2 values the last two.
    """
    half, places = kernel // 2, (size - 1) // stride + 1
    return range(max(0, half - (places - 1) * stride), min(kernel, size + half))


def _conv(
    stage: int, channels_in: int, channels: int, kernel: Triple, maps: Triple, *, enters: bool
) -> Layer:
    weights = prod(kernel) * channels_in * channels
    return Layer(stage, weights * prod(maps), weights + 4 * channels, enters)


def _resnet3d(config: ModelConfig, clip: Triple) -> _Stages:
    found = _Stages(clip, leaves_out=True)
    found.conv(0, config.width, (7, 7, 7), (1, 2, 2), enters=True)
    found.pool((2, 2, 2))
    for number, blocks in enumerate(BLOCKS[config.depth]):
        for block in range(blocks):
            stage, channels, enters = number + 1, config.width << number, block == 0
            stride = 2 if block == 0 and number > 0 else 1
            channels_in = found.channels
            if config.depth == 50:
                found.conv(stage, channels, (1, 1, 1), enters=enters)
                found.conv(stage, channels, (3, 3, 3), (stride,) * 3)
                found.conv(stage, 4 * channels, (1, 1, 1))
            else:
                found.conv(stage, channels, (3, 3, 3), (stride,) * 3, enters=enters)
                found.conv(stage, channels, (3, 3, 3))
            widens = stride > 1 or channels_in != found.channels
            if widens and config.shortcut == "B":
                found.shortcut(stage, channels_in, enters=enters)
    return found


def _torchvision(stem: _Stages, add: Callable[..., None], time_strides: bool) -> _Stages:
    """Add four stages of two blocks, of 64 to 512 channels, with convolutions that `add` adds."""
    for number in range(4):
        for block in range(2):
            stage, channels, enters = number + 1, 64 << number, block == 0
            halves = block == 0 and number > 0
            stride = (2 if halves and time_strides else 1, 2 if halves else 1, 2 if halves else 1)
            channels_in = stem.channels
            middle = channels_in * channels * 27 // (channels_in * 9 + 3 * channels)
            add(stem, stage, channels, stride, middle, enters=enters)
            add(stem, stage, channels, (1, 1, 1), middle, enters=False)
            if halves:
                stem.shortcut(stage, channels_in, enters=enters)
    return stem


def _whole(
    found: _Stages, stage: int, channels: int, stride: Triple, middle: int, *, enters: bool
) -> None:
    """R3D: 3x3x3."""
    del middle
    found.conv(stage, channels, (3, 3, 3), stride, enters=enters)


def _flat_later(
    found: _Stages, stage: int, channels: int, stride: Triple, middle: int, *, enters: bool
) -> None:
    """MC3: 3x3x3 in the first stage after the stem, 1x3x3 later."""
    del middle
    found.conv(stage, channels, (3 if stage == 1 else 1, 3, 3), stride, enters=enters)


def _factored(
    found: _Stages, stage: int, channels: int, stride: Triple, middle: int, *, enters: bool
) -> None:
    """R(2+1)D: in space, then in time, with about as many weights as 3x3x3 has."""
    time, height, width = stride
    found.conv(stage, middle, (1, 3, 3), (1, height, width), enters=enters)
    found.conv(stage, channels, (3, 1, 1), (time, 1, 1))


def _r3d_18(config: ModelConfig, clip: Triple) -> _Stages:
    del config  # it has one form
    return _torchvision(_plain_stem(clip), _whole, time_strides=True)


def _mc3_18(config: ModelConfig, clip: Triple) -> _Stages:
    del config
    return _torchvision(_plain_stem(clip), _flat_later, time_strides=False)


def _r2plus1d_18(config: ModelConfig, clip: Triple) -> _Stages:
    del config
    stem = _Stages(clip)
    stem.conv(0, 45, (1, 7, 7), (1, 2, 2), enters=True)
    stem.conv(0, 64, (3, 1, 1))
    return _torchvision(stem, _factored, time_strides=True)


def _plain_stem(clip: Triple) -> _Stages:
    stem = _Stages(clip)
    stem.conv(0, 64, (3, 7, 7), (1, 2, 2), enters=True)
    return stem


def _c3d(config: ModelConfig, clip: Triple) -> _Stages:
    del config
    found = _Stages(clip)
    for stage, (convolutions, pool) in enumerate(C3D_LAYOUT.values()):
        for index, channels in enumerate(convolutions.values()):
            found.conv(stage, channels, (3, 3, 3), enters=index == 0)
        if pool is not None:
            time, space = pool
            found.pool((time, space, space))
    return found


_BACKBONES: Mapping[str, Callable[[ModelConfig, Triple], _Stages]] = {
    "resnet3d": _resnet3d,
    "r3d_18": _r3d_18,
    "mc3_18": _mc3_18,
    "r2plus1d_18": _r2plus1d_18,
    "c3d": _c3d,
}
