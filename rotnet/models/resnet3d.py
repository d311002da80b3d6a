"""The 3D ResNet-18 released with the paper, with its parameters' names, order and shapes."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d, relu

from rotnet.config import ModelConfig

Shortcut = Literal["A", "A-detached", "B"]
HEAD = ("fc1", "fc2")


class ResNet3D(nn.Module):
    """3D ResNet-18 (resnet.py of the released code, after Hara et al.), of any width.

    A 7x7x7 stem of stride (1, 2, 2), a max-pool of stride 2, four stages of two basic blocks, the
    mean over all that is left of time and space, and a head with one hidden layer. The released
    code pools the last map with a fixed 4x4 window, which is the same for inputs of 97 to 128
    pixels.

    Args:
        config: width, shortcut and hidden units.
        num_classes: K.
    """

    def __init__(self, config: ModelConfig, num_classes: int) -> None:
        super().__init__()
        width = config.width
        self.conv1 = nn.Conv3d(3, width, 7, stride=(1, 2, 2), padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.layer1 = _stage(width, width, 1, config.shortcut)
        self.layer2 = _stage(width, 2 * width, 2, config.shortcut)
        self.layer3 = _stage(2 * width, 4 * width, 2, config.shortcut)
        self.layer4 = _stage(4 * width, 8 * width, 2, config.shortcut)
        self.fc1 = nn.Linear(8 * width, config.hidden)
        self.fc2 = nn.Linear(config.hidden, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def features(self, clips: Tensor) -> Tensor:
        """Return pooled features (B, 8*width) of clips (B, 3, T, H, W)."""
        maps = max_pool3d(relu(self.bn1(self.conv1(clips))), 3, stride=2, padding=1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return maps.mean(dim=(2, 3, 4))

    def forward(self, clips: Tensor) -> Tensor:
        """Return logits (B, K) of clips (B, 3, T, H, W)."""
        return self.fc2(relu(self.fc1(self.features(clips))))


def build(config: ModelConfig, num_classes: int, seed: int) -> ResNet3D:
    """Return a network with random weights that depend on nothing but the arguments."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ResNet3D(config, num_classes)


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
