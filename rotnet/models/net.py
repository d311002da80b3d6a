"""What every network is: stages with names, features pooled from the last, a head with one layer.

A backbone is a subclass that makes its stages; how it is found by name is in `rotnet.registry`.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, relu

from rotnet.config import ModelConfig
from rotnet.errors import UserError
from rotnet.models.recompute import recomputed
from rotnet.registry import BACKBONES

HEAD = ("fc1", "fc2")


class VideoNet(nn.Module):
    """A network on clips. A subclass sets stages and strides, makes its modules, adds the head.

    Attributes:
        stages: names of the stages, first to last: each an attribute of the network, or several.
        strides: stage -> (frames, pixels) of the clip from one value of its maps to the next.
        frozen: so many stages, from the first, hold still; `rotnet.models.freezing` sets it.
        recomputes: whether the network goes through its parts by `through`.
        recompute: whether it computes them again when going back; `set_recompute` sets it.
        drop: torch's dropout, or what stands in its place (`rotnet.learning.dealt`).
    """

    stages: ClassVar[tuple[str, ...]]
    strides: ClassVar[Mapping[str, tuple[int, int]]]
    frozen: int = 0
    recomputes: ClassVar[bool] = False
    recompute: bool = False
    drop: Callable[..., Any] = staticmethod(dropout)

    def add_head(self, num_features: int, config: ModelConfig, num_outputs: int) -> None:
        """Add fc1 and fc2: num_features -> config.hidden -> num_outputs."""
        self.num_features = num_features
        self.dropout = config.dropout
        self.fc1 = nn.Linear(num_features, config.hidden)
        self.fc2 = nn.Linear(config.hidden, num_outputs)

    def modules_of(self, stage: str) -> tuple[nn.Module, ...]:
        """Return the modules whose parameters belong to a stage."""
        raise NotImplementedError

    def maps(self, clips: Tensor) -> dict[str, Tensor]:
        """Return each stage's maps, (B, C_stage, T_stage, H_stage, W_stage), by its name.

        Args:
            clips: (B, 3, T, H, W).
        """
        raise NotImplementedError

    @classmethod
    def map_size(cls, stage: str, frames: int, size: int) -> tuple[int, int]:
        """Return duration and side of a stage's maps: each stride, begun or whole, gives one value.

        A stage of strides (16, 32) leaves (2, 4) of 17 frames of 112 pixels.
        """
        time, space = cls.strides[stage]
        return -(-frames // time), -(-size // space)

    def through(
        self, part: Callable[[Tensor], Tensor], maps: Tensor, *modules: nn.Module
    ) -> Tensor:
        """Return part(maps); where `recompute` is set, in training, little is kept of it.

        Args:
            part: of the network.
            maps: what enters it.
            modules: those that it uses.
        """
        if self.recompute and self.training and torch.is_grad_enabled():
            return recomputed(part, maps, modules)
        return part(maps)

    def through_blocks(self, stage: nn.Module, maps: Tensor) -> Tensor:
        """Return stage(maps) of a stage that is a sequence of blocks, each a part by itself."""
        if not self.recompute:
            return stage(maps)
        for block in stage.children():
            maps = self.through(block, maps, block)
        return maps

    def features(self, clips: Tensor) -> Tensor:
        """Return the last stage's maps averaged over time and space, (B, num_features)."""
        return self.maps(clips)[self.stages[-1]].mean(dim=(2, 3, 4))

    def forward(self, clips: Tensor) -> Tensor:
        """Return outputs (B, num_outputs) of clips (B, 3, T, H, W)."""
        features = self.features(clips)
        if self.dropout:
            features = self.drop(features, self.dropout, self.training)
        return self.fc2(relu(self.fc1(features)))

    def train(self, mode: bool = True) -> Self:
        """Set training or eval mode. Frozen stages stay in eval mode, their statistics fixed."""
        super().train(mode)
        for stage in self.stages[: self.frozen]:
            for module in self.modules_of(stage):
                module.eval()
        return self


def set_recompute(model: VideoNet, backbone: str) -> None:
    """Have a network compute its parts again when going back.

    Raises:
        UserError: if it cannot.
    """
    if not model.recomputes:
        raise UserError(
            f"runtime.recompute: backbone {backbone} cannot compute its parts again; leave it off, "
            "or use a smaller batch or accumulate"
        )
    model.recompute = True


def build(config: ModelConfig, num_outputs: int, seed: int) -> VideoNet:
    """Return a network with random weights that depend on nothing but the arguments."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BACKBONES.load(config.backbone)(config, num_outputs)
