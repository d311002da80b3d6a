"""Features clip by clip, or video by video, as they come: what others make tables of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from rotnet.config import RuntimeConfig
from rotnet.data.sampling import even_places, resized
from rotnet.data.video import Video, VideoSet
from rotnet.errors import CheckpointError
from rotnet.evaluation.opened import Opened


@dataclass(frozen=True, eq=False)
class Features:
    """What the stages of a network say of a clip, or on average of a video's clips.

    Args:
        video: its row in the manifest.
        start: first frame of the clip; None where several are averaged.
        clips: how many they are.
        vectors: by stage, (C,) float32: its maps averaged over time and space.
    """

    video: Video
    start: int | None
    clips: int
    vectors: Mapping[str, NDArray[np.float32]]

    def __repr__(self) -> str:
        """Shapes, not data."""
        sizes = {stage: vector.size for stage, vector in self.vectors.items()}
        return f"Features({self.video.path}, start={self.start}, clips={self.clips}, {sizes})"


def clip_features(
    network: Opened,
    videos: VideoSet,
    stages: Sequence[str],
    *,
    clips: int,
    runtime: RuntimeConfig,
) -> Iterator[Features]:
    """Yield the features of every video's evenly spread clips, centre crop, in order.

    Only a batch is in memory at a time.

    Args:
        network: whose features they are.
        videos: to look at.
        stages: of the network.
        clips: per video; a short one has fewer.
        runtime: clips per batch, and threads that read them.

    Raises:
        CheckpointError: if a value is not finite.
        DataError: if there is no video.
    """
    clip = network.config.clip
    loader = network.loader(videos, runtime)
    places = (
        place
        for video in loader.videos
        for place in even_places(
            video.frames,
            *resized(video.stored_height, video.stored_width, clip.resize),
            clip,
            clips,
        )
    )
    for batch in loader.scoring(clips=clips, batch_size=runtime.eval_batch):
        with network.looking():
            maps = network.model.maps(network.see(batch))
            found = {name: maps[name].float().mean(dim=(2, 3, 4)).cpu().numpy() for name in stages}
        for name, vectors in found.items():
            if not np.isfinite(vectors).all():
                raise CheckpointError(
                    f"{network.name}: gives features ({name}) that are not finite: its training "
                    "has diverged"
                )
        for row, index in enumerate(batch.videos.tolist()):
            yield Features(
                video=loader.videos[index],
                start=next(places).start,
                clips=1,
                vectors={name: vectors[row] for name, vectors in found.items()},
            )


def per_video(clips: Iterable[Features]) -> Iterator[Features]:
    """Yield the mean of the features of each video, whose clips follow one another."""
    for _, group in groupby(clips, key=lambda found: found.video.path):
        rows = list(group)
        means = {
            stage: np.stack([row.vectors[stage] for row in rows]).mean(axis=0, dtype=np.float64)
            for stage in rows[0].vectors
        }
        vectors = {stage: mean.astype(np.float32) for stage, mean in means.items()}
        yield replace(rows[0], start=None, clips=len(rows), vectors=vectors)
