"""What a network attends to in a few videos of a set: which they are, and the picture of it."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rotnet.config import RuntimeConfig
from rotnet.data.video import VideoSet
from rotnet.evaluation.attention import STAGE, attention
from rotnet.evaluation.opened import Opened
from rotnet.models.batchnorm import reestimate
from rotnet.models.net import VideoNet, build
from rotnet.pictures.colours import overlaid
from rotnet.pictures.strip import Row, Strip, place_of, reduced
from rotnet.views.rotation import quarter_turns

_TURNS = 4
_SEED = 0  # of the random weights: one such network for all that have its shape


def few_of(videos: VideoSet, count: int) -> VideoSet:
    """Return `count` of a set's videos, whatever network they are for: evenly spread by path.

    They stand in the middle of as many equal parts of the list that is sorted by path; where the
    path begins with the class, they are of as many classes as can be. Worked: of 208 videos and a
    count of 4, numbers 26, 78, 130 and 182, from 0. A set with fewer is taken whole.
    """
    ordered = sorted(videos.videos, key=lambda video: video.path)
    count = min(count, len(ordered))
    chosen = tuple(ordered[(2 * n + 1) * len(ordered) // (2 * count)] for n in range(count))
    return replace(videos, videos=chosen)


def strip_of(network: Opened, videos: VideoSet, batch_size: int, *, beside: bool = True) -> Strip:
    """Return what a network attends to in the middle frame of each video's middle clip.

    Upright, centre crop, `rotnet.evaluation.attention`'s definition; a network without its stage is
    seen at its second one. Beside it stands a network of its shape with random weights, whose batch
    normalisation has the statistics of these clips.

    Args:
        network: to look into.
        videos: a few; `few_of` chooses them.
        batch_size: clips at once.
        beside: whether a random network stands beside it; False where it is one itself.

    Raises:
        DataError: if there is no video.
    """
    quiet = RuntimeConfig(workers=0)
    batches = list(network.loader(videos, quiet).scoring(clips=1, batch_size=batch_size))
    inputs = [network.see(batch) for batch in batches]
    stages, clip = network.model.stages, network.config.clip
    stage = STAGE if STAGE in stages else stages[min(1, len(stages) - 1)]
    frame = clip.frames // 2
    heat: dict[Row, NDArray[np.float32]] = {
        "network": _heat(network, network.model, inputs, stage)[:, frame]
    }
    if beside:
        random = _random(network, torch.cat(inputs), batch_size)
        heat["random"] = _heat(network, random, inputs, stage)[:, frame]
    shown = np.concatenate([batch.clips[:, frame].numpy() for batch in batches])
    pictures: dict[Row, NDArray[np.uint8]] = {"clip": shown}
    pictures |= {row: overlaid(shown, each) for row, each in heat.items()}
    return Strip(
        videos=tuple(video.path for video in videos.videos),
        role=videos.role,
        modality=network.config.modality,
        stage=stage,
        frame=frame + 1,
        frames=clip.frames,
        pictures={row: reduced(each) for row, each in pictures.items()},
        places={row: tuple(map(place_of, each)) for row, each in heat.items()},
    )


def _heat(
    network: Opened, model: VideoNet, inputs: list[Tensor], stage: str
) -> NDArray[np.float32]:
    """Return the attention to all clips, (V, T, H, H) in [0, 1]."""
    found = []
    with network.looking():
        for clips in inputs:
            maps = model.maps(clips)[stage]
            found.append(attention(maps, (clips.shape[2], clips.shape[3])).cpu())
    return torch.cat(found).numpy()


def _random(network: Opened, clips: Tensor, batch_size: int) -> VideoNet:
    """Return a network of the same shape with random weights, and the statistics of these clips.

    In the four orientations: normalisation needs more than one value, which a single clip may lack.
    """
    model = build(network.config.model, 1, _SEED)
    model.to(network.device).to(memory_format=torch.channels_last_3d)
    batches = (
        quarter_turns(some, torch.arange(_TURNS).expand(len(some), -1))
        for some in clips.split(max(1, batch_size // _TURNS))
    )
    with network.looking():
        reestimate(model, batches)
    return model
