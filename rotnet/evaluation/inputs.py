"""How videos come to a network that is measured: no chance, nothing left out."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rotnet.config import ClipConfig, Modality, RuntimeConfig, ViewConfig
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.video import Video, VideoSet
from rotnet.views.modality import as_input

Prepare = Callable[[Batch], Tensor]


def scoring_loader(
    videos: VideoSet, clip: ClipConfig, modality: Modality, runtime: RuntimeConfig
) -> ClipLoader:
    """Return a loader that leaves no video out: one too short is looped where training drops it.

    Raises:
        DataError: if there is no video.
    """
    if clip.short_video == "drop":
        clip = clip.model_copy(update={"short_video": "loop"})
    return ClipLoader(videos, clip, modality, workers=runtime.workers, verify=runtime.verify)


def network_input(modality: Modality, views: ViewConfig, device: torch.device) -> Prepare:
    """Return the function that makes a batch what a network takes, (B, 3, T, H, W) on a device."""

    def prepare(batch: Batch) -> Tensor:
        placed = batch.to(device)
        return as_input(placed.clips, modality, views, placed.seams)

    return prepare


def labels_of(videos: Sequence[Video], classes: Sequence[str]) -> NDArray[np.int64]:
    """Return the class index of every video, (N,).

    Raises:
        KeyError: if a video has no label, or one of no class.
    """
    index = {name: index for index, name in enumerate(classes)}
    return np.array([index[video.label or ""] for video in videos], dtype=np.int64)
