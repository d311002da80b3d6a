"""torchvision's 18-layer video networks, made by torchvision, with this project's head."""

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn
from torchvision.models import video

from rotnet.config import ModelConfig
from rotnet.models.net import VideoNet


class TorchvisionNet(VideoNet):
    """Stem and four stages of a network of torchvision, under their names and with their start.

    Tran et al. 2018 (arXiv 1711.11248). The classifier `fc` gives way to fc1 and fc2, so that
    backbones are compared under one head. No weights are fetched; `rotnet convert` takes a file.

    Args:
        make: torchvision's function.
        config: hidden units and dropout.
        num_outputs: K.
    """

    stages = ("stem", "layer1", "layer2", "layer3", "layer4")
    recomputes = True

    def __init__(
        self, make: Callable[..., nn.Module], config: ModelConfig, num_outputs: int
    ) -> None:
        super().__init__()
        theirs = make(weights=None)
        for stage in self.stages:
            self.add_module(stage, theirs.get_submodule(stage))
        self.add_head(512, config, num_outputs)

    def modules_of(self, stage: str) -> tuple[nn.Module, ...]:
        """Return the modules whose parameters belong to a stage."""
        return (self.get_submodule(stage),)

    def maps(self, clips: Tensor) -> dict[str, Tensor]:
        """Return the maps of the stem, which does not pool, and of the four stages, by name."""
        found: dict[str, Tensor] = {}
        maps = clips
        for stage in self.stages:
            module = self.get_submodule(stage)
            if stage == "stem":
                maps = self.through(module, maps, module)
            else:
                maps = self.through_blocks(module, maps)
            found[stage] = maps
        return found


class HalvingNet(TorchvisionNet):
    """r3d_18 and r2plus1d_18, whose later stages halve time as well as space."""

    strides: ClassVar = {
        "stem": (1, 2),
        "layer1": (1, 2),
        "layer2": (2, 4),
        "layer3": (4, 8),
        "layer4": (8, 16),
    }


class LastingNet(TorchvisionNet):
    """mc3_18, whose later stages are 2D and keep every frame."""

    strides: ClassVar = {
        "stem": (1, 2),
        "layer1": (1, 2),
        "layer2": (1, 4),
        "layer3": (1, 8),
        "layer4": (1, 16),
    }


def r3d_18(config: ModelConfig, num_outputs: int) -> TorchvisionNet:
    """Return R3D: 3x3x3 convolutions in every stage."""
    return HalvingNet(video.r3d_18, config, num_outputs)


def mc3_18(config: ModelConfig, num_outputs: int) -> TorchvisionNet:
    """Return MC3: 3x3x3 convolutions in the stem and layer1, 1x3x3 ones after."""
    return LastingNet(video.mc3_18, config, num_outputs)


def r2plus1d_18(config: ModelConfig, num_outputs: int) -> TorchvisionNet:
    """Return R(2+1)D: each 3x3x3 convolution is one in space, then one in time."""
    return HalvingNet(video.r2plus1d_18, config, num_outputs)
