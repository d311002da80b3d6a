"""Features of videos: what a network's stages say of them, averaged over clips."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool3d

from rotnet.data.loader import ClipLoader
from rotnet.errors import CheckpointError
from rotnet.evaluation.inputs import Prepare
from rotnet.learning.watch import Stopped, Watch
from rotnet.models.net import VideoNet

Vectors = Callable[[Tensor], Mapping[str, Tensor]]


def video_features(
    vectors: Vectors,
    loader: ClipLoader,
    prepare: Prepare,
    *,
    clips: int,
    batch_size: int,
    watch: Watch,
) -> dict[str, NDArray[np.float32]]:
    """Return vectors of every video of a loader, each the mean over its evenly spread clips.

    Only a batch of maps is in memory at a time, and one vector of each name for every video.

    Args:
        vectors: of network inputs (B, 3, T, H, W), by name, each (B, D); in eval mode.
        loader: of N videos.
        prepare: a batch's network input.
        clips: per video, centre crop.
        batch_size: clips per batch.
        watch: may stop it between batches.

    Returns:
        Arrays (N, D) by name.

    Raises:
        CheckpointError: if a value is not finite.
        Stopped: if the watch wished so.
    """
    totals: dict[str, NDArray[np.float64]] = {}
    counts = np.zeros(len(loader.videos))
    with torch.inference_mode():
        for number, batch in enumerate(loader.scoring(clips=clips, batch_size=batch_size), 1):
            if watch.should_stop() == "now":
                raise Stopped(f"stopped after batch {number}")
            chosen = batch.videos.numpy()
            np.add.at(counts, chosen, 1)
            for name, found in vectors(prepare(batch)).items():
                shape = (len(counts), found.shape[1])
                total = totals.setdefault(name, np.zeros(shape))
                np.add.at(total, chosen, found.double().cpu().numpy())
    for name, total in totals.items():
        if not np.isfinite(total).all():
            raise CheckpointError(f"gives features ({name}) that are not finite: it has diverged")
    return {name: (total / counts[:, None]).astype(np.float32) for name, total in totals.items()}


def stage_vectors(model: VideoNet, pools: Sequence[int]) -> Vectors:
    """Return the function that gives each stage's maps averaged over time and to grids.

    A vector is called as `vector_name` says. A grid finer than a stage's maps would only repeat
    their values, so the stage goes without it.

    Args:
        model: on its device; put into eval mode.
        pools: sides of the grids; a vector has C * pool * pool values, channels first.
    """
    model.eval()

    def vectors(clips: Tensor) -> dict[str, Tensor]:
        return {
            vector_name(stage, pool): adaptive_avg_pool3d(maps, (1, pool, pool)).flatten(1)
            for stage, maps in model.maps(clips).items()
            for pool in pools
            if pool <= min(maps.shape[3:])
        }

    return vectors


def vector_name(stage: str, pool: int) -> str:
    """Return what a stage's features on a grid are called: "layer2", "layer2_pool2"."""
    return stage if pool == 1 else f"{stage}_pool{pool}"


def last_vector(model: VideoNet) -> Vectors:
    """Return the function that gives what the network's own head sees, under "features"."""
    model.eval()
    return lambda clips: {"features": model.features(clips)}
