"""The 3D ResNet released with the paper, with its parameters' names, order and shapes."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from rotnet.config import ModelConfig
from rotnet.models.convolution import Conv3d
from rotnet.models.layers import BLOCKS
from rotnet.models.net import VideoNet
from rotnet.models.pooling import max_pool

Shortcut = Literal["A", "A-detached", "B"]


class ResNet3D(VideoNet):
    """3D ResNet-18 (resnet.py of the released code, after Hara et al.), or one of 34 or 50 layers.

    A 7x7x7 stem of stride (1, 2, 2), a max-pool of stride 2, four stages of blocks, the mean over
    all that is left of time and space, and a head with one hidden layer. The released code pools
    the last map with a fixed 4x4 window, which is the same for inputs of 97 to 128 pixels.

    Depth 34 has more blocks, depth 50 has bottlenecks, which widen every stage four times. Their
    parameters are named as in kenshohara/3D-ResNets-PyTorch (models/resnet.py), as those of 18 are.

    Args:
        config: depth, width, shortcut and hidden units.
        num_outputs: K.
    """

    stages = ("stem", "layer1", "layer2", "layer3", "layer4")
    recomputes = True
    strides: ClassVar = {
        "stem": (2, 4),
        "layer1": (2, 4),
        "layer2": (4, 8),
        "layer3": (8, 16),
        "layer4": (16, 32),
    }

    def __init__(self, config: ModelConfig, num_outputs: int) -> None:
        super().__init__()
        width, block = config.width, Bottleneck if config.depth == 50 else BasicBlock
        self.conv1 = Conv3d(3, width, 7, stride=(1, 2, 2), padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        channels_in = width
        for number, blocks in enumerate(BLOCKS[config.depth]):
            channels, stride = width << number, 1 if number == 0 else 2
            stage = _stage(block, blocks, channels_in, channels, stride, config.shortcut)
            self.add_module(f"layer{number + 1}", stage)
            channels_in = channels * block.expansion
        self.add_head(channels_in, config, num_outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def modules_of(self, stage: str) -> tuple[nn.Module, ...]:
        """Return the modules whose parameters belong to a stage."""
        return (self.conv1, self.bn1) if stage == "stem" else (self.get_submodule(stage),)

    def maps(self, clips: Tensor) -> dict[str, Tensor]:
        """Return the maps of the stem (pooled) and of the four stages, by name."""
        maps = self.through(self._after_conv1, self.conv1(clips), self.bn1)
        found = {"stem": maps}
        for stage in self.stages[1:]:
            maps = found[stage] = self.through_blocks(self.get_submodule(stage), maps)
        return found

    def _after_conv1(self, maps: Tensor) -> Tensor:
        """Normalise and pool; what is below 0 goes last, which gives the same from an eighth."""
        return relu(max_pool(self.bn1(maps), 3, stride=2, padding=1), inplace=True)


def resnet3d(config: ModelConfig, num_outputs: int) -> ResNet3D:
    """Return the network as configured, with random weights."""
    return ResNet3D(config, num_outputs)


class BasicBlock(nn.Module):
    """Two 3x3x3 convolutions and a shortcut, summed before the last ReLU."""

    expansion = 1

    def __init__(self, channels_in: int, channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.conv1 = Conv3d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.conv2 = Conv3d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(channels)
        self.downsample = _shortcut(channels_in, channels, stride, shortcut)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, channels, ...) of maps (B, channels_in, ...)."""
        residual = maps if self.downsample is None else self.downsample(maps)
        out = self.bn2(self.conv2(relu(self.bn1(self.conv1(maps)), inplace=True)))
        return relu(out + residual, inplace=True)


class Bottleneck(nn.Module):
    """Convolutions of 1, 3 and 1, of which the last widens four times, and a shortcut.

    The middle one has the stride, as in kenshohara's.
    """

    expansion = 4

    def __init__(self, channels_in: int, channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        wide = channels * self.expansion
        self.conv1 = nn.Conv3d(channels_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.conv2 = Conv3d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(channels)
        self.conv3 = nn.Conv3d(channels, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(wide)
        self.downsample = _shortcut(channels_in, wide, stride, shortcut)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, 4 * channels, ...) of maps (B, channels_in, ...)."""
        residual = maps if self.downsample is None else self.downsample(maps)
        out = relu(self.bn1(self.conv1(maps)), inplace=True)
        out = self.bn3(self.conv3(relu(self.bn2(self.conv2(out)), inplace=True)))
        return relu(out + residual, inplace=True)


class ZeroPad(nn.Module):
    """Shortcut A: every stride-th position, zeros for the new channels, no parameters."""

    def __init__(self, channels: int, stride: int, *, detach: bool) -> None:
        super().__init__()
        self.channels, self.stride, self.detach = channels, stride, detach

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, channels, ...), without gradient where the released code has none."""
        kept = maps[:, :, :: self.stride, :: self.stride, :: self.stride]
        if self.detach:
            kept = kept.detach()
        missing = self.channels - kept.shape[1]
        return torch.cat([kept, kept.new_zeros(kept.shape[0], missing, *kept.shape[2:])], dim=1)


def _shortcut(channels_in: int, channels: int, stride: int, shortcut: Shortcut) -> nn.Module | None:
    """Return what a block's input passes on its way to the sum; None: it is added as it is."""
    if stride == 1 and channels_in == channels:
        return None
    if shortcut == "B":
        return nn.Sequential(
            nn.Conv3d(channels_in, channels, 1, stride=stride, bias=False), nn.BatchNorm3d(channels)
        )
    return ZeroPad(channels, stride, detach=shortcut == "A-detached")


def _stage(
    block: type[BasicBlock | Bottleneck],
    blocks: int,
    channels_in: int,
    channels: int,
    stride: int,
    shortcut: Shortcut,
) -> nn.Sequential:
    first = block(channels_in, channels, stride, shortcut)
    wide = channels * block.expansion
    return nn.Sequential(first, *(block(wide, channels, 1, shortcut) for _ in range(blocks - 1)))
