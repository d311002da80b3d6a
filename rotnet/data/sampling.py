"""Which frames form a clip, and which square of them. Integers only; no decoding."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from rotnet.config import ClipConfig, Modality


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip lies: first frame, top left corner after resizing, flipped or not."""

    start: int
    top: int
    left: int
    flip: bool


def random_place(
    num_frames: int,
    height: int,
    width: int,
    clip: ClipConfig,
    flip: float,
    rng: np.random.Generator,
) -> Place:
    """Draw a place for training. Both modalities draw the same places from equal generators.

    Args:
        num_frames: frames of the video.
        height: of the resized picture, at least clip.size.
        width: likewise.
        clip: its window and size.
        flip: probability of a flip.
        rng: gives four numbers, whatever the video's size.
    """
    draws = rng.random(4)
    return Place(
        start=_scale(draws[0], max(0, num_frames - clip.window)),
        top=_scale(draws[1], height - clip.size),
        left=_scale(draws[2], width - clip.size),
        flip=bool(draws[3] < flip),
    )


def even_places(
    num_frames: int,
    height: int,
    width: int,
    clip: ClipConfig,
    count: int,
    crops: Literal[1, 3] = 1,
) -> list[Place]:
    """Return places spread evenly over a video, never flipped: the crops of each start in turn.

    The first clip starts with the video and the last one ends with it; a single one is in the
    middle. A video with room for fewer distinct clips gives fewer. One crop is the centre; three
    are both ends of the longer side and the centre, and a square picture has but the centre.
    """
    room = max(0, num_frames - clip.window)
    starts = [room // 2] if count == 1 else [round(room * i / (count - 1)) for i in range(count)]
    down, right = height - clip.size, width - clip.size
    tops, lefts = {down // 2}, {right // 2}
    if crops == 3 and height > width:
        tops |= {0, down}
    elif crops == 3 and width > height:
        lefts |= {0, right}
    return [
        Place(start, top, left, flip=False)
        for start in sorted(set(starts))
        for top in sorted(tops)
        for left in sorted(lefts)
    ]


def frame_indices(
    start: int, num_frames: int, clip: ClipConfig, modality: Modality
) -> Sequence[int]:
    """Return the frames that a clip shows: T for RGB, T + 1 for DIF, stride apart.

    Where the video ends before the window does, `loop` goes on from its first frame and `pad_last`
    stays on its last.
    """
    count = clip.frames + (modality == "dif")
    wanted = range(start, start + count * clip.stride, clip.stride)
    if wanted[-1] < num_frames:
        return wanted
    if clip.short_video == "pad_last":
        return [min(index, num_frames - 1) for index in wanted]
    return [index % num_frames for index in wanted]


def seams(start: int, num_frames: int, clip: ClipConfig) -> list[bool]:
    """Return, for each of the T differences of a window, whether a video that loops starts again.

    Example:
        20 frames and a window from 0 of 4 frames, stride 8: frames 0, 8, 16, 4, 12, so the third
        difference lies across the seam.
    """
    if clip.short_video != "loop":
        return [False] * clip.frames
    places = range(start, start + clip.window, clip.stride)
    return [after // num_frames != before // num_frames for before, after in pairwise(places)]


def resized(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Return height and width scaled by the factor that brings the shorter to `short_side`.

    Example:
        resized(240, 320, 136) is (136, 181).
    """
    shorter = min(height, width)
    return round(height * short_side / shorter), round(width * short_side / shorter)


def _scale(unit: float, room: int) -> int:
    """Map a number in [0, 1) to an integer in [0, room]."""
    return int(unit * (room + 1))
