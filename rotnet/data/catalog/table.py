"""A table of one's own that names videos: path, label, group, splits."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from rotnet.data.catalog.dealing import RandomSplits
from rotnet.data.catalog.files import VIDEO_SUFFIXES
from rotnet.data.catalog.folder import GIVEN_SPLITS, group_of
from rotnet.data.catalog.kind import Side, Sides
from rotnet.data.catalog.listed import ListedKind
from rotnet.data.catalog.lists import read_table
from rotnet.data.catalog.matching import Entry, Reading
from rotnet.errors import DataError, offer

SIDES: dict[str, Side] = {**GIVEN_SPLITS, "unused": "unused"}


def table(path: Path, random: RandomSplits, *, allow_missing: bool = False) -> ListedKind:
    """Return how the videos of a CSV file are read; its first line names the columns.

    path
        of the video, relative to the source; with another video's suffix it is the same video.
    label
        its class; blank, or the column left out, where it has none.
    group
        what no split may tear apart (a film, a person); blank, or the column left out, where a
        video stands alone. A file named v_*_gNN_cNN belongs to group gNN of its class, as in
        UCF101.
    split, or split_1, split_2, ...
        one column for each split: train (or val, valid), test, or unused. A video without a label
        is unused in all. Without such a column a labelled set is split at random.

    Args:
        path: of the CSV file.
        random: how to split where the CSV does not.
        allow_missing: go on where videos are missing.

    Raises:
        DataError: if the columns or their values are others.
    """
    rows = read_table(path)
    columns = _split_columns(path, list(rows[0]) if rows else ["path"])
    entries = tuple(_entry(path, row, columns) for row in rows)
    by_chance = None
    if not columns and any(entry.label for entry in entries):
        by_chance = random
    return ListedKind(
        "csv",
        entries,
        readings=(Reading(_whole, _whole), Reading(_unsuffixed, _unsuffixed)),
        allow_missing=allow_missing,
        by_chance=by_chance,
    )


def _split_columns(path: Path, header: Sequence[str]) -> list[str]:
    """Return the columns of splits, in order; refuse columns of other names."""
    if "path" not in header:
        raise DataError(f"{path} has no column 'path'; it has {', '.join(header)}")
    splits = [name for name in header if re.fullmatch(r"split(_[1-9]\d*)?", name)]
    expected = ["split"] if splits == ["split"] else [f"split_{k + 1}" for k in range(len(splits))]
    if sorted(splits) != sorted(expected):
        raise DataError(
            f"{path}: columns of splits are 'split', or 'split_1', 'split_2' and so on without a "
            f"gap, got {', '.join(splits)}"
        )
    valid = ["path", "label", "group", "split", "split_1"]
    for name in header:
        if name not in valid and name not in splits:
            raise DataError(f"{path}: unknown column {name!r}; {offer(name, valid)}")
    return expected


def _entry(path: Path, row: Mapping[str, str], columns: Sequence[str]) -> Entry:
    name = row["path"]
    if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise DataError(f"{path}: a path must lie below the source, got {name!r}")
    label = row.get("label") or None
    group = row.get("group") or None
    if group is None and group_of(name) != name:
        group = group_of(name)
    return Entry(name, label, group, _sides(path, row, columns, label))


def _sides(path: Path, row: Mapping[str, str], columns: Sequence[str], label: str | None) -> Sides:
    found: list[Side] = []
    for column in columns:
        word = row[column].lower()
        if word not in SIDES:
            said = offer(word, list(SIDES))
            raise DataError(f"{path}: {row['path']} has {column} {row[column]!r}; {said}")
        if label is None and SIDES[word] != "unused":
            raise DataError(f"{path}: {row['path']} has no label, and {column} {word!r} needs one")
        found.append(SIDES[word])
    return tuple(found)


def _whole(path: str) -> str:
    return str(PurePosixPath(path))


def _unsuffixed(path: str) -> str:
    whole = PurePosixPath(path)
    return str(whole.with_suffix("")) if whole.suffix.lower() in VIDEO_SUFFIXES else str(whole)
