"""One video file becomes stored frames: surveyed, cut, reduced, written. No other file is known."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rotnet.data.bars import brightness, find_area
from rotnet.data.catalog import Candidate
from rotnet.data.decode import CutShortError, Orientation, UndecodableError, open_video, to_rgb
from rotnet.data.manifest import Area, Video
from rotnet.data.picture import cut_and_shrink, stored_size
from rotnet.data.processes import Worker
from rotnet.errors import DataError

SAMPLED_FRAMES = 24  # at least so many (all of a shorter video) show where its bars are
SINGLE_PICTURE = 1


@dataclass(frozen=True, slots=True)
class Storage:
    """How videos are stored. All of it is part of a set's identity.

    Args:
        short_side: the shorter side of a stored picture is at most so long, in pixels; nothing is
            enlarged.
        min_frames: a damaged video is kept if so many whole frames come before the damage.
        bars: black bars are cut, or kept as part of the picture, where a network reads the rotation
            off them: for `rotnet doctor` and for comparisons only.
    """

    short_side: int = 136
    min_frames: int = 16
    bars: Literal["cut", "keep"] = "cut"

    def __post_init__(self) -> None:
        if self.short_side < 16:
            raise DataError(f"the short side must be at least 16 pixels, got {self.short_side}")

    @property
    def settings(self) -> dict[str, Any]:
        """Return what stands in a set's fingerprint; `bars` only where they are kept.

        Sets made before there was a choice keep their fingerprints so.
        """
        values = asdict(self)
        if self.bars == "cut":
            del values["bars"]
        return values


@dataclass(frozen=True, slots=True)
class Task:
    """One file to prepare, and where its frames go."""

    file: Path
    candidate: Candidate
    storage: Storage
    part: Path


def prepare_video(task: Task) -> Video:
    """Write the frames of one file to `task.part` and return its row, without splits and offset.

    A file that is not wholly decodable is kept in part or left out, with the reason in the row;
    then there may be no part.

    Raises:
        DataError: if the frames cannot be written.
        InterruptedWorkError: if the parent process has given up.
    """
    digest = file_sha256(task.file)
    try:
        if task.candidate.refusal:
            raise UndecodableError(task.candidate.refusal)
        survey = _survey(task.file, task.storage)
        _write_frames(task, survey)
    except UndecodableError as error:
        return left_out(task, str(error), digest)
    return Video(
        path=task.candidate.path,
        label=task.candidate.label,
        group=task.candidate.group,
        splits=(),
        frames=survey.frames,
        fps=survey.fps,
        width=survey.width,
        height=survey.height,
        rotation=survey.orientation.turns * 90,
        area=survey.area,
        sha256=digest,
        status="part" if survey.damage else "ok",
        reason=survey.damage,
        stored_width=survey.stored[0],
        stored_height=survey.stored[1],
        offset=0,
    )


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; empty where it is no readable file."""
    try:
        if not file.is_file():
            return ""
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def left_out(task: Task, reason: str, digest: str) -> Video:
    """Return the row of a file of which nothing is kept."""
    return Video(
        path=task.candidate.path,
        label=task.candidate.label,
        group=task.candidate.group,
        splits=(),
        frames=0,
        fps=0.0,
        width=0,
        height=0,
        rotation=0,
        area=None,
        sha256=digest,
        status="left_out",
        reason=reason,
        stored_width=0,
        stored_height=0,
        offset=0,
    )


@dataclass(frozen=True, slots=True)
class _Survey:
    """What a first pass over a file finds out."""

    frames: int
    fps: float
    width: int
    height: int
    orientation: Orientation
    area: Area
    stored: tuple[int, int]
    damage: str


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


def _survey(file: Path, storage: Storage) -> _Survey:
    """Decode a whole file once, for the number of its whole frames and the area of its picture.

    Raises:
        UndecodableError: if it is to be left out.
    """
    number, damage, orientation = 0, "", Orientation(0, mirrored=False)
    sample = _Sample()
    with open_video(file) as source:
        try:
            for frame in source.frames():
                Worker.check()
                if not number:
                    orientation = source.orientation(frame)
                if sample.wants(number):
                    sample.add(brightness(orientation.apply(to_rgb(frame))))
                number += 1
        except CutShortError as error:
            damage = f"{error}; whole frames before that: {number}"
        fps, pixel_aspect = source.fps, source.pixel_aspect
    if damage and number < storage.min_frames:
        raise UndecodableError(f"{damage}, and at least {storage.min_frames} are needed")
    if number == SINGLE_PICTURE:
        raise UndecodableError("it is a single picture")
    levels = np.stack(sample.chosen)
    area = find_area(levels) if storage.bars == "cut" else _whole(levels)
    upright_aspect = pixel_aspect if orientation.turns % 2 == 0 else Fraction(1) / pixel_aspect
    return _Survey(
        frames=number,
        fps=fps,
        width=levels.shape[2],
        height=levels.shape[1],
        orientation=orientation,
        area=area,
        stored=stored_size(area, upright_aspect, storage.short_side),
        damage=damage,
    )


def _whole(levels: NDArray[np.uint8]) -> Area:
    """Return the area of whole frames (N, H, W)."""
    return Area(x=0, y=0, width=levels.shape[2], height=levels.shape[1])


def _write_frames(task: Task, survey: _Survey) -> None:
    """Decode a file a second time and write what the survey found to be its frames."""
    written = 0
    try:
        with task.part.open("wb") as part:
            for picture in _pictures(task.file, survey):
                part.write(picture.data)
                written += 1
    except OSError as error:
        raise DataError(f"cannot write frames: {error.strerror}; nothing was kept") from error
    if written != survey.frames:
        raise UndecodableError(
            f"it changed while it was read: {survey.frames} frames, then {written}"
        )


def _pictures(file: Path, survey: _Survey) -> Iterator[NDArray[np.uint8]]:
    with open_video(file) as source:
        try:
            for frame in islice(source.frames(), survey.frames):
                Worker.check()
                upright = survey.orientation.apply(to_rgb(frame))
                yield cut_and_shrink(upright, survey.area, survey.stored)
        except CutShortError:
            return  # the survey has met it, and says so
