"""What a prepared data set holds: its videos, their labels, groups, splits. No pixels.

A prepared set is a folder: `manifest.csv` (one row a video, kept or not), `dataset.json` (the
header: name, classes, settings, fingerprint), `quarantine.csv` (the videos that are not whole, and
why) and a frame store (the pictures, read by `rotnet.data.frames`).
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from rotnet.data.framestore.layout import RECORD_FILE, Record, origin_of
from rotnet.errors import DataError

FORMAT = "rotnet-videos"
FORMAT_VERSION = 2
IDENTITY_VERSION = 1  # of what a fingerprint is made of; equal sets keep theirs while it stands
MANIFEST_FILE = "manifest.csv"
HEADER_FILE = "dataset.json"
QUARANTINE_FILE = "quarantine.csv"

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


@dataclass(frozen=True, slots=True)
class Header:
    """What `dataset.json` says of a set.

    Args:
        name: what people call the set; not part of its identity.
        kind: how its source was read: "folder", "ucf101", or another that `rotnet prepare` lists.
        classes: sorted; empty for an unlabelled set.
        num_splits: splits are counted from 1 to this.
        fingerprint: identity of videos, labels, groups, splits and preparation, in hexadecimal.
        settings: how it was prepared.
        counts: videos by status, files that were ignored, bytes of frames; where lists name the
            videos, how many are listed, missing, and on no list.
        notes: what a reader should know, such as why there are no splits.
        made_with: versions of what decoded the videos; not part of the set's identity.
        files: the SHA-256 of the files that were written together with it, by name.
    """

    name: str
    kind: str
    classes: tuple[str, ...]
    num_splits: int
    fingerprint: str
    settings: Mapping[str, Any]
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    made_with: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


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
        folder = _set_folder(folder)
        header = read_header(folder)
        videos = _read_rows(folder / MANIFEST_FILE, header.num_splits)
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
        """Return the kept videos that a role may see.

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
        videos = tuple(video for video in self.videos if video.kept)
        if role != "pretrain" or split is not None:
            side = "test" if role == "test" else "train"
            index = self._split_index(split)
            videos = tuple(video for video in videos if video.splits[index] == side)
        return VideoSet(self.folder, self.classes, self.fingerprint, role, split, videos)

    def _split_index(self, split: int | None) -> int:
        if split is not None and 1 <= split <= self.num_splits:
            return split - 1
        valid = ", ".join(str(number) for number in range(1, self.num_splits + 1))
        offer = f"its splits are {valid}" if valid else "it has no splits"
        raise DataError(f"{self.name}: no split {split}; {offer}")


def read_header(folder: Path) -> Header:
    """Read only what `dataset.json` says of a prepared set.

    Args:
        folder: the set's folder, or its `manifest.csv`.

    Raises:
        DataError: if it is missing, no prepared set, or of a newer format.
    """
    path = _set_folder(folder) / HEADER_FILE
    return parse_header(path.read_bytes(), path)


def parse_header(text: bytes, where: object) -> Header:
    """Return what a `dataset.json` says.

    Args:
        text: of the file.
        where: it lies, for messages.

    Raises:
        DataError: if it is no header, or of another format than this version reads.
    """
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise DataError(f"{where} is not the header of a prepared data set")
        if found["format_version"] < FORMAT_VERSION:
            raise DataError(
                f"{where} was made by an older rotnet, which stored frames otherwise: prepare the "
                "set again; results that were made with it keep their keys"
            )
        if found["format_version"] > FORMAT_VERSION:
            raise DataError(
                f"{where} has format {found['format_version']}, this rotnet reads up to "
                f"{FORMAT_VERSION}: use a newer rotnet, or prepare the set again"
            )
        return Header(
            name=found["name"],
            kind=found["kind"],
            classes=tuple(found["classes"]),
            num_splits=found["num_splits"],
            fingerprint=found["fingerprint"],
            settings=found["settings"],
            counts=found["counts"],
            notes=tuple(found["notes"]),
            made_with=found["made_with"],
            files=found["files"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{where} cannot be read: {error!r}; prepare the set again") from error


def kind_of(folder: Path) -> str:
    """Return how the source of a prepared set was read, of whatever format; empty if unreadable."""
    try:
        found = json.loads((folder / HEADER_FILE).read_text(encoding="utf-8"))
        return str(found["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def read_quarantine(path: Path) -> dict[str, str]:
    """Return the videos that a quarantine list names, each with its reason.

    Args:
        path: a CSV file with a column `path` and perhaps `status` and `reason`, such as a prepared
            set's quarantine.csv; videos that were kept in part are not meant.

    Raises:
        DataError: if it is no such file.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if "path" not in (reader.fieldnames or ()):
                raise DataError(f"{path} has no column 'path': it is no quarantine list")
            return {
                row["path"]: row.get("reason") or "no reason given"
                for row in reader
                if row.get("status") != "part"
            }
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a quarantine list: {error}") from error


def write_files(folder: Path, header: Header, videos: Sequence[Video]) -> None:
    """Write the header and the rows of a set into a folder that nobody reads yet.

    Videos that are not whole are listed once more, for people and for `--quarantine`.
    """
    _write_csv(folder / MANIFEST_FILE, _columns(header.num_splits), map(_to_row, videos))
    troubled = [video for video in videos if video.status != "ok"]
    _write_csv(
        folder / QUARANTINE_FILE,
        ["path", "status", "reason", "sha256"],
        ([video.path, video.status, video.reason, video.sha256] for video in troubled),
    )
    # What the header vouches for: rows and frames that were packed together.
    files = {name: _digest(folder / name) for name in (MANIFEST_FILE, RECORD_FILE)}
    found = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **asdict(replace(header, files=files)),
    }
    (folder / HEADER_FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _write_csv(path: Path, columns: list[str], rows: Iterable[list[object]]) -> None:
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        # Before Python 3.13 a lone carriage return, which a path may hold, is not quoted by itself.
        quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        for row in rows:
            (quoting if any("\r" in str(cell) for cell in row) else writer).writerow(row)


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
            list(_area_cells(video.area)),
            video.stored_width,
            video.stored_height,
        ]
        for video in videos
    )
    text = json.dumps([IDENTITY_VERSION, settings, rows], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _set_folder(path: Path) -> Path:
    """Return the folder of a set named by its folder or its manifest."""
    folder = path.parent if path.name == MANIFEST_FILE else path
    if not folder.is_dir():
        wrong = "is a file, not a prepared data set" if path.exists() else "does not exist"
        raise DataError(f"{path} {wrong}: make one with 'rotnet prepare KIND SOURCE OUT'")
    if not (folder / HEADER_FILE).is_file():
        raise DataError(
            f"{folder} is not a prepared data set (no {HEADER_FILE}): make one with "
            "'rotnet prepare KIND SOURCE OUT'"
        )
    return folder


_FIXED_BEFORE = ["path", "label", "group"]
_FIXED_AFTER = [
    "frames",
    "fps",
    "width",
    "height",
    "rotation",
    "area_x",
    "area_y",
    "area_width",
    "area_height",
    "sha256",
    "status",
    "reason",
    "stored_width",
    "stored_height",
    "shard",
    "offset",
    "num_bytes",
    "packet",
]


def _columns(num_splits: int) -> list[str]:
    return _FIXED_BEFORE + [f"split_{k + 1}" for k in range(num_splits)] + _FIXED_AFTER


def _area_cells(area: Area | None) -> tuple[int | str, ...]:
    return ("", "", "", "") if area is None else (area.x, area.y, area.width, area.height)


def _to_row(video: Video) -> list[object]:
    """Return a video's cells in the order of `_columns`."""
    return [
        video.path,
        "" if video.label is None else video.label,
        video.group,
        *video.splits,
        video.frames,
        repr(video.fps),
        video.width,
        video.height,
        video.rotation,
        *_area_cells(video.area),
        video.sha256,
        video.status,
        video.reason,
        video.stored_width,
        video.stored_height,
        video.shard,
        video.offset,
        video.num_bytes,
        video.packet,
    ]


def _read_rows(path: Path, num_splits: int) -> tuple[Video, ...]:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != _columns(num_splits):
                raise DataError(f"{path} has other columns than expected: prepare the set again")
            return tuple(_from_row(row, num_splits) for row in reader)
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing: prepare the set again") from error
    except (ValueError, TypeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}; prepare the set again") from error


def _from_row(row: Mapping[str, str], num_splits: int) -> Video:
    area = None
    if row["area_x"]:
        area = Area(*(int(row[f"area_{side}"]) for side in ("x", "y", "width", "height")))
    status = row["status"]
    if status not in ("ok", "part", "left_out"):
        raise ValueError(f"status {status!r} of {row['path']!r} is none of ok, part, left_out")
    splits = tuple(row[f"split_{k + 1}"] for k in range(num_splits))
    for side in splits:
        if side not in ("train", "test", "unused"):
            raise ValueError(f"side {side!r} of {row['path']!r} is none of train, test, unused")
    return Video(
        path=row["path"],
        label=row["label"] or None,
        group=row["group"],
        splits=splits,
        frames=int(row["frames"]),
        fps=float(row["fps"]),
        width=int(row["width"]),
        height=int(row["height"]),
        rotation=int(row["rotation"]),
        area=area,
        sha256=row["sha256"],
        status=status,  # type: ignore[arg-type]  # checked just above
        reason=row["reason"],
        stored_width=int(row["stored_width"]),
        stored_height=int(row["stored_height"]),
        shard=int(row["shard"]),
        offset=int(row["offset"]),
        num_bytes=int(row["num_bytes"]),
        packet=int(row["packet"]),
    )


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
