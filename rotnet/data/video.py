"""A video of a prepared set, as one row says it; and some of them that a role may see."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["ok", "part", "left_out"]
VideoRole = Literal["pretrain", "train", "test"]


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of pixels: columns [x, x + width), rows [y, y + height)."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Video:
    """One row of a manifest.

    Args:
        path: of the source file, relative to the source folder, with forward slashes.
        label: its class; None in an unlabelled set.
        group: what must not be torn apart by a split (a person, a scene, identical files).
        splits: for each split, counted from 1, "train", "test" or "unused"; unused videos are
            given to no role of that split.
        frames: whole frames that are kept.
        fps: frames per second.
        width: of the upright source picture, bars included, in pixels.
        height: likewise.
        rotation: quarter turns, in degrees counter-clockwise, that made the picture upright.
        area: the picture without black bars, in upright source pixels; None where left out.
        sha256: of the source file; empty where it could not be read.
        status: "ok", "part" (kept up to its last whole frame) or "left_out".
        reason: why it is not "ok".
        stored_width: of its frames in the store; 0 where left out.
        stored_height: likewise.
        shard: number of the file of the frame store that holds it.
        offset: of its first byte there.
        num_bytes: of its frames there.
        packet: place of its first frame in the store's index.
    """

    path: str
    label: str | None
    group: str
    splits: tuple[str, ...]
    frames: int
    fps: float
    width: int
    height: int
    rotation: int
    area: Area | None
    sha256: str
    status: Status
    reason: str
    stored_width: int
    stored_height: int
    shard: int = 0
    offset: int = 0
    num_bytes: int = 0
    packet: int = 0

    @property
    def kept(self) -> bool:
        """Whether the set holds frames of it."""
        return self.status != "left_out"


@dataclass(frozen=True, slots=True)
class VideoSet:
    """The kept videos of a prepared set that one role of one split may see."""

    folder: Path
    classes: tuple[str, ...]
    fingerprint: str
    role: str
    split: int | None
    videos: tuple[Video, ...]

    def __len__(self) -> int:
        return len(self.videos)
