"""C3D (Tran et al. 2015, arXiv 1412.0767), with batch normalisation."""

from functools import partial
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import relu

from rotnet.config import ModelConfig
from rotnet.models.layers import C3D_LAYOUT
from rotnet.models.net import VideoNet
from rotnet.models.pooling import max_pool


class C3D(VideoNet):
    """Eight 3x3x3 convolutions, named conv1a to conv5b with bn1a to bn5b, in five stages.

    Our choices, not the paper's: batch normalisation after each convolution, and no fifth pool and
    no layers of 4,096 units but the mean over all that is left of time and space, so that clips may
    have any size. Re-implementations for self-supervised learning, such as that of VCOP, do the
    same. Pools keep a last window that is not full, as Caffe's do, so that no clip is too small for
    them.

    Args:
        config: hidden units and dropout.
        num_outputs: K.
    """

    stages = tuple(C3D_LAYOUT)
    recomputes = True
    strides: ClassVar = {
        "conv1": (1, 2),
        "conv2": (2, 4),
        "conv3": (4, 8),
        "conv4": (8, 16),
        "conv5": (8, 16),
    }

    def __init__(self, config: ModelConfig, num_outputs: int) -> None:
        super().__init__()
        channels_in = 3
        for convolutions, _ in C3D_LAYOUT.values():
            for name, channels in convolutions.items():
                conv = nn.Conv3d(channels_in, channels, 3, padding=1, bias=False)
                nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
                self.add_module(f"conv{name}", conv)
                self.add_module(f"bn{name}", nn.BatchNorm3d(channels))
                channels_in = channels
        self.add_head(channels_in, config, num_outputs)

    def modules_of(self, stage: str) -> tuple[nn.Module, ...]:
        """Return the modules whose parameters belong to a stage."""
        return tuple(
            self.get_submodule(f"{kind}{name}")
            for name in C3D_LAYOUT[stage][0]
            for kind in ("conv", "bn")
        )

    def maps(self, clips: Tensor) -> dict[str, Tensor]:
        """Return the maps of the five stages, the first four of them pooled, by name."""
        found: dict[str, Tensor] = {}
        maps = clips
        for stage in self.stages:
            maps = self.through(partial(self._pass, stage), maps, *self.modules_of(stage))
            found[stage] = maps
        return found

    def _pass(self, stage: str, maps: Tensor) -> Tensor:
        convolutions, pool = C3D_LAYOUT[stage]
        for name in convolutions:
            conv, bn = getattr(self, f"conv{name}"), getattr(self, f"bn{name}")
            maps = relu(bn(conv(maps)))
        if pool is None:
            return maps
        time, space = pool
        return max_pool(maps, (time, space, space), ceil_mode=True)


def c3d(config: ModelConfig, num_outputs: int) -> C3D:
    """Return the network with random weights."""
    return C3D(config, num_outputs)
