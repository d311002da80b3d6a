"""What networks attend to in the middle clip of a video, laid out as pictures.

The clip is on top, the networks stand below one another, the rotations side by side.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rotnet.config import RuntimeConfig
from rotnet.data.loader import Batch
from rotnet.data.video import VideoSet
from rotnet.errors import UserError
from rotnet.evaluation.attention import attention_to, check_stage
from rotnet.evaluation.opened import Opened
from rotnet.evaluation.turning import Turning
from rotnet.pictures.colours import overlaid
from rotnet.pictures.grid import picture_grid

_RUNTIME = RuntimeConfig(workers=0)


@dataclass(frozen=True, eq=False)
class Attended:
    """A clip in n rotations, and what networks attend to in it.

    Args:
        video: path.
        stage: of the networks.
        turning: by which angles the clip is turned, and on which path.
        frames: (n, T, H, W, 3) uint8 RGB; number k is the clip turned by the k-th angle.
        heat: by name of the network, (n, T, H, W) in [0, 1].
    """

    video: str
    stage: str
    turning: Turning
    frames: NDArray[np.uint8]
    heat: Mapping[str, NDArray[np.float32]]

    def __repr__(self) -> str:
        """Shapes, not data."""
        return f"Attended({self.video}, {self.stage}, {', '.join(self.heat)}, {self.frames.shape})"

    def picture(self, frame: int) -> Image.Image:
        """Return the picture of a frame of the clip, counted from 0."""
        shown = self.frames[:, frame]
        rows = [overlaid(shown, heat[:, frame]) for heat in self.heat.values()]
        return picture_grid(
            np.stack([shown, *rows]),
            rows=["clip", *self.heat],
            columns=[f"{angle}°" for angle in self.turning.angles],
            title=f"{self.video}, {self.stage}, frame {frame + 1} of {self.frames.shape[1]}, "
            f"path {self.turning.path}; the lighter, the more active",
        )

    @property
    def middle(self) -> int:
        """The frame in the middle."""
        return self.frames.shape[1] // 2


def attended(
    networks: Sequence[Opened], videos: VideoSet, stage: str, turning: Turning
) -> Attended:
    """Return what networks attend to in the middle clip of a set's first video, centre crop.

    Args:
        networks: with names that differ; `check_alike` has passed them.
        videos: a set of one video.
        stage: whose activation is shown.
        turning: the rotations of the clip.

    Raises:
        UserError: if a network has no such stage.
    """
    heat: dict[str, NDArray[np.float32]] = {}
    for network in networks:
        batch = middle_clip(network, videos, turning)
        with network.looking():
            found = attention_to(network.model, network.see(batch), stage)
        heat[network.name] = found.cpu().numpy()
        frames = batch.clips[:, : network.config.clip.frames]
    pixels = frames.float().round().clamp(0, 255).byte().numpy()
    return Attended(videos.videos[0].path, stage, turning, pixels, heat)


def middle_clip(network: Opened, videos: VideoSet, turning: Turning) -> Batch:
    """Return the middle clip of a set's first video as the network sees it, in all rotations."""
    clip = network.config.clip
    loader = network.loader(videos, _RUNTIME, turning.read(clip))
    return turning.turned(next(loader.scoring(clips=1, batch_size=1)), clip.size)


def check_alike(networks: Sequence[Opened], stage: str) -> None:
    """Check that networks can be shown side by side: the same clips, and a stage they all have.

    The modality may differ: RGB and DIF read the same window.

    Raises:
        UserError: if not; the networks that differ are named.
    """
    first = networks[0]
    for network in networks:
        check_stage(network.model, stage, network.name)
        if network.config.clip != first.config.clip:
            raise UserError(
                f"{first.name} and {network.name} see other clips, so that they cannot stand side "
                f"by side: {_sizes(first)} and {_sizes(network)}; show them one by one"
            )


def _sizes(network: Opened) -> str:
    clip = network.config.clip
    return f"{clip.frames} frames of stride {clip.stride}, {clip.size} of {clip.resize} pixels"
