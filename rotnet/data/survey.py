"""What a first pass over a video file finds out: its whole frames, its picture without bars."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal
from zlib import crc32

import av
import numpy as np
from numpy.typing import NDArray

from rotnet.data.bars import brightness, find_area
from rotnet.data.decode import CutShortError, Orientation, UndecodableError, open_video
from rotnet.data.framestore.index import FRAME, KEY, MIRRORED, UNTIMED, Index
from rotnet.data.picture import cut_and_shrink, stored_size
from rotnet.data.processes import Worker
from rotnet.data.video import Area

SAMPLED_FRAMES = 24  # at least so many (all of a shorter video) show where its bars are
SINGLE_PICTURE = 1


@dataclass(frozen=True, slots=True)
class Survey:
    """What a video holds.

    Args:
        frames: how many are whole.
        fps: frames per second.
        width: of the upright picture, in pixels.
        height: likewise.
        orientation: what makes it upright.
        area: of it without bars.
        stored: width and height that it is reduced to.
        damage: why it ends before it should; empty where it does not.
        table: where frames can be sought: the time of each, and whether decoding can begin there.
        sums: of all pictures, where they were asked for.
    """

    frames: int
    fps: float
    width: int
    height: int
    orientation: Orientation
    area: Area
    stored: tuple[int, int]
    damage: str
    table: Index
    sums: tuple[int, ...]


def survey(
    file: Path,
    *,
    short_side: int,
    min_frames: int,
    bars: Literal["cut", "keep"],
    with_sums: bool = False,
) -> Survey:
    """Decode a whole file once.

    Args:
        file: of any format.
        short_side: of stored pictures, at most, in pixels.
        min_frames: a damaged video is kept if so many whole frames come before the damage.
        bars: what becomes of black bars.
        with_sums: sum up every picture too.

    Raises:
        UndecodableError: if it is to be left out.
    """
    number, damage, orientation = 0, "", Orientation(0, mirrored=False)
    sample, times = _Sample(), _Times()
    sums: list[int] = []
    with open_video(file) as source:
        try:
            for frame in source.frames():
                Worker.check()
                if not number:
                    orientation = source.orientation(frame)
                if sample.wants(number):
                    sample.add(brightness(orientation.apply(source.to_rgb(frame))))
                if with_sums:
                    sums.append(picture_sum(source.to_rgb(frame)))
                times.add(frame)
                number += 1
        except CutShortError as error:
            damage = f"{error}; whole frames before that: {number}"
        fps, pixel_aspect, interlaced = source.fps, source.pixel_aspect, source.interlaced
    if damage and number < min_frames:
        raise UndecodableError(f"{damage}, and at least {min_frames} are needed")
    if number == SINGLE_PICTURE:
        raise UndecodableError("it is a single picture")
    levels = np.stack(sample.chosen)
    area = find_area(levels) if bars == "cut" else _whole(levels)
    upright_aspect = pixel_aspect if orientation.turns % 2 == 0 else Fraction(1) / pixel_aspect
    return Survey(
        frames=number,
        fps=fps,
        width=levels.shape[2],
        height=levels.shape[1],
        orientation=orientation,
        area=area,
        stored=stored_size(area, upright_aspect, short_side),
        damage=damage,
        table=times.table(mirrored=orientation.mirrored, interlaced=interlaced),
        sums=tuple(sums),
    )


def picture_sum(picture: NDArray[np.uint8]) -> int:
    """Return what tells a decoded picture from another: its CRC-32."""
    return crc32(np.ascontiguousarray(picture).data)


def pictures(file: Path, found: Survey) -> Iterator[NDArray[np.uint8]]:
    """Yield what is stored of each whole frame, (H, W, 3): a second pass over a file."""
    with open_video(file) as source:
        try:
            for frame in islice(source.frames(), found.frames):
                Worker.check()
                upright = found.orientation.apply(source.to_rgb(frame))
                yield cut_and_shrink(upright, found.area, found.stored)
        except CutShortError:
            return  # the survey has met it, and says so


class _Sample:
    """Frames spread evenly over a stream of unknown length: every 2^n-th of them."""

    def __init__(self) -> None:
        self._every = 1
        self.chosen: list[NDArray[np.uint8]] = []

    def wants(self, index: int) -> bool:
        return index % self._every == 0

    def add(self, frame: NDArray[np.uint8]) -> None:
        self.chosen.append(frame)
        if len(self.chosen) == 2 * SAMPLED_FRAMES:
            self.chosen = self.chosen[::2]
            self._every *= 2


class _Times:
    """The time of every frame, and where decoding can begin."""

    def __init__(self) -> None:
        self._rows: list[tuple[int | None, bool]] = []

    def add(self, frame: av.VideoFrame) -> None:
        self._rows.append((frame.pts, bool(frame.key_frame)))

    def table(self, *, mirrored: bool, interlaced: bool) -> Index:
        """Return a row of FRAME for each frame.

        Untimed is a video whose times do not rise, so that a frame cannot be told by its own, and
        an interlaced one, whose whole pictures need their neighbours.
        """
        times = [time for time, _ in self._rows if time is not None]
        rising = all(before < after for before, after in pairwise(times))
        seekable = rising and len(times) == len(self._rows) and not interlaced
        table = np.zeros(len(self._rows), FRAME)
        if seekable:
            table["time"] = times
            table["flags"] = [KEY * key for _, key in self._rows]
        table["flags"][0] |= KEY | MIRRORED * mirrored | UNTIMED * (not seekable)
        return table


def _whole(levels: NDArray[np.uint8]) -> Area:
    """Return the area of whole frames (N, H, W)."""
    return Area(x=0, y=0, width=levels.shape[2], height=levels.shape[1])
