"""The 3D ResNet-18 released with the paper, with its parameters' names, order and shapes."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d, relu

from rotnet.config import ModelConfig
from rotnet.models.net import VideoNet

Shortcut = Literal["A", "A-detached", "B"]


class ResNet3D(VideoNet):
    """3D ResNet-18 (resnet.py of the released code, after Hara et al.), of any width.

    A 7x7x7 stem of stride (1, 2, 2), a max-pool of stride 2, four stages of two basic blocks, the
    mean over all that is left of time and space, and a head with one hidden layer. The released
    code pools the last map with a fixed 4x4 window, which is the same for inputs of 97 to 128
    pixels.

    Args:
        config: width, shortcut and hidden units.
        num_outputs: K.
    """

    stages = ("stem", "layer1", "layer2", "layer3", "layer4")

    def __init__(self, config: ModelConfig, num_outputs: int) -> None:
        super().__init__()
        width = config.width
        self.conv1 = nn.Conv3d(3, width, 7, stride=(1, 2, 2), padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.layer1 = _stage(width, width, 1, config.shortcut)
        self.layer2 = _stage(width, 2 * width, 2, config.shortcut)
        self.layer3 = _stage(2 * width, 4 * width, 2, config.shortcut)
        self.layer4 = _stage(4 * width, 8 * width, 2, config.shortcut)
        self.add_head(8 * width, config, num_outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def modules_of(self, stage: str) -> tuple[nn.Module, ...]:
        """Return the modules whose parameters belong to a stage."""
        return (self.conv1, self.bn1) if stage == "stem" else (getattr(self, stage),)

    def maps(self, clips: Tensor) -> dict[str, Tensor]:
        """Return the maps of the stem (pooled) and of the four stages, by name."""
        found = {"stem": max_pool3d(relu(self.bn1(self.conv1(clips))), 3, stride=2, padding=1)}
        maps = found["stem"]
        for stage in self.stages[1:]:
            maps = found[stage] = getattr(self, stage)(maps)
        return found


def resnet3d(config: ModelConfig, num_outputs: int) -> ResNet3D:
    """Return the network as configured, with random weights."""
    return ResNet3D(config, num_outputs)


def last_map(frames: int, size: int) -> tuple[int, int]:
    """Return duration and side of the last stage's maps: 16 frames of 112 pixels leave (1, 4)."""
    return -(-frames // 16), -(-size // 32)


class BasicBlock(nn.Module):
    """Two 3x3x3 convolutions and a shortcut, summed before the last ReLU."""

    def __init__(self, channels_in: int, channels: int, stride: int, shortcut: Shortcut) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm3d(channels)
        self.conv2 = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels_in != channels:
            self.downsample = _shortcut(channels_in, channels, stride, shortcut)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, channels, ...) of maps (B, channels_in, ...)."""
        residual = maps if self.downsample is None else self.downsample(maps)
        out = self.bn2(self.conv2(relu(self.bn1(self.conv1(maps)))))
        return relu(out + residual)


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


def _shortcut(channels_in: int, channels: int, stride: int, shortcut: Shortcut) -> nn.Module:
    if shortcut == "B":
        return nn.Sequential(
            nn.Conv3d(channels_in, channels, 1, stride=stride, bias=False), nn.BatchNorm3d(channels)
        )
    return ZeroPad(channels, stride, detach=shortcut == "A-detached")


def _stage(channels_in: int, channels: int, stride: int, shortcut: Shortcut) -> nn.Sequential:
    return nn.Sequential(
        BasicBlock(channels_in, channels, stride, shortcut),
        BasicBlock(channels, channels, 1, shortcut),
    )
