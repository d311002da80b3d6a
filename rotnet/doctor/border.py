"""Whether the border of a set's pictures stands still while what lies further in moves: bars."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rotnet.data.frames import FrameReader
from rotnet.data.video import VideoSet

STRIP, FURTHER = 4, 20  # of a picture with a short side of 112: width, and depth of its equal
STILL = 0.5  # grey levels of standard deviation over time, in the median pixel: nothing moves
MOVING = 2.0  # and here something does
EDGE = 2  # lines over which a codec smears the edge of a bar
FLAGGED = 0.1  # share of videos with a still side from which on a set is flagged
FRAMES, VIDEOS = 12, 400  # looked at, at most


@dataclass(frozen=True, slots=True)
class Stillness:
    """How many of the videos looked at have a side that stands still."""

    videos: int
    still: int

    @property
    def share(self) -> float:
        """Share of the videos."""
        return self.still / self.videos

    @property
    def flagged(self) -> bool:
        """Whether so many of them do that a network can read the rotation off them."""
        return self.share >= FLAGGED


def stillness(videos: VideoSet) -> Stillness:
    """Look at the stored pictures of a set, evenly over its videos and their frames."""
    frames = FrameReader(videos.folder)
    chosen = videos.videos[:: -(-len(videos) // VIDEOS)]
    still = 0
    for video in chosen:
        count = min(FRAMES, video.frames)
        indices = [round(i * (video.frames - 1) / max(1, count - 1)) for i in range(count)]
        still += any(still_sides(frames.read(video, indices)))
    return Stillness(len(chosen), still)


def still_sides(frames: NDArray[np.uint8]) -> list[bool]:
    """Return whether the top, right, bottom and left of a video stand still by themselves.

    A side does where its outermost strip does not change over time and an equal one further in
    does, at a fixed depth or right behind a sharp edge, as that of a wide bar: before a camera on a
    tripod all strips are still, and that is no leak.

    Args:
        frames: (T, H, W, 3) spread over the video.
    """
    change = frames.astype(np.float32).mean(axis=3).std(axis=0)
    short = min(change.shape)
    width = max(1, round(STRIP * short / 112))
    depth = max(width, round(FURTHER * short / 112))
    found = []
    for turn in range(4):
        lines = np.rot90(change, turn)  # the right becomes the top after one quarter turn
        outer = np.median(lines[:width])
        inner = np.median(lines[depth : depth + width])
        found.append(bool(outer < STILL and max(inner, _behind_edge(lines, width)) > MOVING))
    return found


def _behind_edge(lines: NDArray[np.float32], width: int) -> float:
    """Return how much a strip changes that lies right behind the first lines that are not still."""
    changing = np.median(lines, axis=1) >= STILL
    edge = int(changing.argmax()) + EDGE  # 0 where nothing changes
    return float(np.median(lines[edge : edge + width]))
