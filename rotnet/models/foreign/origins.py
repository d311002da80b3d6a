"""Whose a checkpoint is: the network that its names tell of, and how that was trained to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from rotnet.config import ClipConfig, ViewConfig
from rotnet.errors import CheckpointError
from rotnet.models.layers import BLOCKS

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Origin:
    """How a project trains its networks to see.

    Args:
        mean: subtracted, per channel, from RGB in [0, 1].
        std: divided by, per channel.
        clip: frames, stride, short side before the crop, side of the crop.
        source: where this stands.
    """

    mean: Triple
    std: Triple
    clip: ClipConfig
    source: str


ORIGINS = {
    "torchvision": Origin(
        (0.43216, 0.394666, 0.37645),
        (0.22803, 0.22145, 0.216989),
        # 16 frames at 15 a second: every second frame of most videos.
        ClipConfig(frames=16, stride=2, resize=128, size=112),
        "torchvision's transforms/_presets.py and models/video/resnet.py (KINETICS400_V1)",
    ),
    "kenshohara": Origin(
        (0.4345, 0.4051, 0.3775),
        (0.2768, 0.2713, 0.2737),
        ClipConfig(frames=16, stride=1, resize=112, size=112),
        "3D-ResNets-PyTorch's mean.py (kinetics) and opts.py, of 2019 and later",
    ),
    "rotnet-released": Origin(
        ViewConfig().mean, ViewConfig().std, ClipConfig(), "3DRotNet's train.py"
    ),
}


def recognise(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Any], str | None]:
    """Return the settings of the network that has these tensors, and its origin if that shows.

    Shortcuts A and A-detached have no parameters, and are told as A.

    Raises:
        CheckpointError: if the names are of no network known here.
    """
    if "stem.0.weight" in tensors:
        return {"backbone": _torchvision(tensors)}, "torchvision"
    if "conv1a.weight" in tensors:
        return {"backbone": "c3d", **_hidden(tensors)}, None
    if "conv1.weight" in tensors and "layer1.0.bn1.weight" in tensors:
        origin = "kenshohara" if "fc.weight" in tensors else None
        if "fc1.weight" in tensors:
            origin = "rotnet-released"
        return {**_resnet3d(tensors), **_hidden(tensors)}, origin
    first = ", ".join(list(tensors)[:4])
    raise CheckpointError(
        f"its names ({first}, ...) are of no network known here; if they begin with something of "
        "their own, name that with --prefix; if the network is registered, name it with --backbone"
    )


def _torchvision(tensors: Mapping[str, Tensor]) -> str:
    if "stem.3.weight" in tensors:
        return "r2plus1d_18"
    kernel = tensors.get("layer2.0.conv1.0.weight")
    return "mc3_18" if kernel is not None and kernel.shape[2:3] == (1,) else "r3d_18"


def _resnet3d(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    blocks = tuple(
        len({name.split(".")[1] for name in tensors if name.startswith(f"layer{stage}.")})
        for stage in (1, 2, 3, 4)
    )
    bottleneck = "layer1.0.conv3.weight" in tensors
    fitting = [
        depth for depth, each in BLOCKS.items() if each == blocks and (depth == 50) == bottleneck
    ]
    if not fitting:
        kind = "bottlenecks" if bottleneck else "blocks"
        raise CheckpointError(
            f"its stages have {', '.join(map(str, blocks))} {kind}, as no network known here: "
            f"resnet3d has depth {', '.join(map(str, BLOCKS))}"
        )
    shortcut = "B" if any(".downsample.0." in name for name in tensors) else "A"
    return {
        "backbone": "resnet3d",
        "depth": fitting[0],
        "width": tensors["conv1.weight"].shape[0],
        "shortcut": shortcut,
    }


def _hidden(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    return {"hidden": tensors["fc1.weight"].shape[0]} if "fc1.weight" in tensors else {}
