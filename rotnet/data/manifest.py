"""What a prepared data set holds: its videos, their labels, groups, splits. No pixels.

A prepared set is a folder: `manifest.csv` (one row a video, kept or not), `dataset.json` (the
header: name, classes, settings, fingerprint), `quarantine.csv` (the videos that are not whole, and
why) and a frame store (the pictures, read by `rotnet.data.frames`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from rotnet.data.few import given
from rotnet.data.framestore.layout import RECORD_FILE, Record, origin_of
from rotnet.data.header import (
    FORMAT,
    FORMAT_VERSION,
    HEADER_FILE,
    MANIFEST_FILE,
    Header,
    read_header,
    set_folder,
)
from rotnet.data.quarantine import write_quarantine
from rotnet.data.rows import area_cells, columns, read_rows, to_row, write_csv
from rotnet.data.video import Video, VideoRole, VideoSet
from rotnet.errors import DataError

IDENTITY_VERSION = 1  # of what a fingerprint is made of; equal sets keep theirs while it stands


@dataclass(frozen=True, slots=True)
class Manifest:
    """A prepared set: its header's main facts and all of its rows."""

    folder: Path
    name: str
    kind: str
    classes: tuple[str, ...]
    num_splits: int
    fingerprint: str
    videos: tuple[Video, ...]

    @classmethod
    def load(cls, folder: Path, *, whole: bool = True) -> Self:
        """Read a prepared set.

        Args:
            folder: the set's folder, or its `manifest.csv`.
            whole: False where it may have lost frames.

        Raises:
            DataError: if it is missing, no prepared set, of a newer format, or not whole.
        """
        folder = set_folder(folder)
        header = read_header(folder)
        videos = read_rows(folder / MANIFEST_FILE, header.num_splits)
        if fingerprint(videos, header.settings) != header.fingerprint:
            raise _foreign(folder / MANIFEST_FILE)
        if whole:
            _check_frames(folder)
            for name, digest in header.files.items():
                if _digest(folder / name) != digest:
                    raise _foreign(folder / name)
        return cls(
            folder=folder,
            name=header.name,
            kind=header.kind,
            classes=header.classes,
            num_splits=header.num_splits,
            fingerprint=header.fingerprint,
            videos=videos,
        )

    def select(self, role: VideoRole, split: int | None = None) -> VideoSet:
        """Return the kept videos that a role may see; a few of them inside `few_videos`.

        Args:
            role: "pretrain" is every kept video, or a split's training videos where a split is
                given; "train" and "test" are the two sides of a split, without what is unused.
            split: counted from 1.

        Raises:
            DataError: if there is no such split, or the role needs labels and the set has none.
        """
        if role != "pretrain" and not self.classes:
            raise DataError(
                f"{self.name} has no labels, so no {role!r} videos; it can only be 'pretrain'"
            )
        kept = [video for video in self.videos if video.kept]
        if role == "pretrain" and split is None:
            videos = given(kept)
        else:
            index = self._split_index(split)
            train, test = (
                [video for video in kept if video.splits[index] == side]
                for side in ("train", "test")
            )
            videos = given(test if role == "test" else train, (train, test))
        return VideoSet(self.folder, self.classes, self.fingerprint, role, split, videos)

    def _split_index(self, split: int | None) -> int:
        if split is not None and 1 <= split <= self.num_splits:
            return split - 1
        valid = ", ".join(str(number) for number in range(1, self.num_splits + 1))
        offer = f"its splits are {valid}" if valid else "it has no splits"
        raise DataError(f"{self.name}: no split {split}; {offer}")


def write_files(folder: Path, header: Header, videos: Sequence[Video]) -> None:
    """Write the header and the rows of a set into a folder that nobody reads yet.

    Videos that are not whole are listed once more, for people and for `--quarantine`.
    """
    write_csv(folder / MANIFEST_FILE, columns(header.num_splits), map(to_row, videos))
    write_quarantine(folder, videos)
    # What the header vouches for: rows and frames that were packed together.
    files = {name: _digest(folder / name) for name in (MANIFEST_FILE, RECORD_FILE)}
    found = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **asdict(replace(header, files=files)),
    }
    (folder / HEADER_FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def fingerprint(videos: Sequence[Video], settings: Mapping[str, Any]) -> str:
    """Return the identity of a prepared set: contents, labels, splits, areas, settings.

    No absolute path, time or name of the set is part of it, nor the order of the rows.
    """
    rows = sorted(
        [
            video.path,
            video.label,
            video.group,
            list(video.splits),
            video.sha256,
            video.status,
            video.frames,
            video.rotation,
            list(area_cells(video.area)),
            video.stored_width,
            video.stored_height,
        ]
        for video in videos
    )
    text = json.dumps([IDENTITY_VERSION, settings, rows], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _foreign(path: Path) -> DataError:
    return DataError(f"{path} is not what {HEADER_FILE} was written for: prepare the set again")


def _digest(path: Path) -> str:
    """Return the SHA-256 of a small file; empty where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def _check_frames(folder: Path) -> None:
    """Raise DataError unless every file of the frame store has its size; bytes are read later.

    A folder that stands for a set at a URL has the index only.
    """
    record = Record.load(folder)
    for file in (record.index,) if origin_of(folder) is not None else record.files:
        path = folder / file.name
        found = path.stat().st_size if path.is_file() else None
        if found is None:
            raise DataError(f"{path} is missing: prepare the set again")
        if found != file.num_bytes:
            raise DataError(
                f"{path} has {found} bytes where {file.num_bytes} were written: prepare the set "
                "again"
            )
