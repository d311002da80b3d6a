"""What every network is: stages with names, features pooled from the last, a head with one layer.

A backbone is a subclass that makes its stages; how it is found by name is in `rotnet.registry`.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, relu

from rotnet.config import ModelConfig
from rotnet.registry import BACKBONES

HEAD = ("fc1", "fc2")


class VideoNet(nn.Module):
    """A network on clips. A subclass sets `stages`, makes its modules, then calls `add_head`.

    Attributes:
        stages: names of the stages, first to last: each an attribute of the network, or several.
    """

    stages: tuple[str, ...]

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

    def features(self, clips: Tensor) -> Tensor:
        """Return the last stage's maps averaged over time and space, (B, num_features)."""
        return self.maps(clips)[self.stages[-1]].mean(dim=(2, 3, 4))

    def forward(self, clips: Tensor) -> Tensor:
        """Return outputs (B, num_outputs) of clips (B, 3, T, H, W)."""
        features = self.features(clips)
        if self.dropout:
            features = dropout(features, self.dropout, self.training)
        return self.fc2(relu(self.fc1(features)))


def build(config: ModelConfig, num_outputs: int, seed: int) -> VideoNet:
    """Return a network with random weights that depend on nothing but the arguments."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BACKBONES.load(config.backbone)(config, num_outputs)
