"""The rows of a manifest as cells of a CSV file, and back."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from rotnet.data.video import Area, Video
from rotnet.errors import DataError

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


def columns(num_splits: int) -> list[str]:
    """Return the names of the columns."""
    return _FIXED_BEFORE + [f"split_{k + 1}" for k in range(num_splits)] + _FIXED_AFTER


def area_cells(area: Area | None) -> tuple[int | str, ...]:
    """Return x, y, width and height, or four empty cells."""
    return ("", "", "", "") if area is None else (area.x, area.y, area.width, area.height)


def to_row(video: Video) -> list[object]:
    """Return a video's cells in the order of `columns`."""
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
        *area_cells(video.area),
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


def write_csv(path: Path, columns: list[str], rows: Iterable[list[object]]) -> None:
    """Write a table with a line of names; paths of any bytes come back as they were."""
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        # Before Python 3.13 a lone carriage return, which a path may hold, is not quoted by itself.
        quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        for row in rows:
            (quoting if any("\r" in str(cell) for cell in row) else writer).writerow(row)


def read_rows(path: Path, num_splits: int) -> tuple[Video, ...]:
    """Read a manifest.

    Raises:
        DataError: if it is missing, or no manifest with so many splits.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != columns(num_splits):
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
