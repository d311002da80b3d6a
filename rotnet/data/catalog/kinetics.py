"""Kinetics-400, -600 and -700: CSV files of YouTube's names and times."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rotnet.data.catalog.files import stem
from rotnet.data.catalog.kind import Side
from rotnet.data.catalog.listed import ListedKind
from rotnet.data.catalog.lists import read_table
from rotnet.data.catalog.matching import Entry, Reading
from rotnet.errors import DataError, offer

PARTS = {
    "train": "train",
    "val": "val",
    "validate": "val",
    "validation": "val",
    "test": "test",
    "holdout": "test",
}
COLUMNS = ("youtube_id", "time_start", "time_end", "split")
# Editions go by the number of their classes. Every class of each has 50 videos to validate on; 400
# classes have 246,245 to train on (arXiv 1705.06950, 1808.01340, 1907.06987).
EDITIONS = (400, 600, 700)
VALIDATION = 50
TRAINING = {400: 246_245}
_ID_LENGTH = 11  # of YouTube's names, which may hold - and _


def kinetics(csvs: Sequence[Path], *, allow_missing: bool = False) -> ListedKind:
    """Return how a Kinetics set is read with its CSV files.

    A file is <youtube_id>_<start>_<end>, in seconds, with or without leading zeros, or just
    <youtube_id> where the CSVs name a single clip of it; folders do not matter. Videos vanish from
    YouTube, and from later CSVs: those of 400, 600 or 700 classes are held against the numbers that
    were published. Of a choice of classes none are.

    The one split trains on the training part and tests on the validation part, as published
    numbers do, or on a labelled test part where the CSVs have no validation part. Videos without
    a label, as those of Kinetics-400's test part, are unused in it. CSVs with one part only give no
    split. All clips of a YouTube video are one group.

    Args:
        csvs: with the columns youtube_id, time_start, time_end, split, and label where known.
        allow_missing: go on where the CSVs or the videos are not complete.

    Raises:
        DataError: if a CSV has not these columns, or two rows contradict one another.
    """
    rows = [(path, row) for path in csvs for row in _rows(path)]
    labelled = Counter(
        part
        for part, _ in {
            (_part(path, row), _clip(path, row)) for path, row in rows if row.get("label")
        }
    )
    parts = labelled.keys()
    tested = "val" if "val" in parts else "test"
    has_split = {"train", tested} <= parts
    sides: dict[str, Side] = {"train": "train", tested: "test"} if has_split else {}
    entries: dict[str, Entry] = {}
    for path, row in rows:
        label = row.get("label") or None
        side = sides.get(_part(path, row), "unused") if label else "unused"
        name = _clip(path, row)
        entry = Entry(name, label, row["youtube_id"], (side,) if has_split else ())
        if entries.setdefault(name, entry) != entry:
            raise DataError(f"{path}: {name} is listed twice, with another label or split")
    return ListedKind(
        "kinetics",
        tuple(entries.values()),
        readings=(Reading(str, _padded), Reading(_id_of_clip, _id_of_file)),
        faults=tuple(
            _other_counts(labelled, len({row.get("label") for _, row in rows} - {None, ""}))
        ),
        allow_missing=allow_missing,
        why_unsplit="no splits: the CSVs do not have both a training and a validation part",
    )


def _rows(path: Path) -> list[Mapping[str, str]]:
    rows = read_table(path)
    if not rows:
        raise DataError(f"{path} has a header and no rows")
    for column in COLUMNS:
        if column not in rows[0]:
            raise DataError(f"{path} has no column {column!r}; it has {', '.join(rows[0])}")
    return rows


def _other_counts(labelled: Mapping[str, int], classes: int) -> Iterator[str]:
    """Say which parts of an edition have other numbers of videos than published."""
    if classes not in EDITIONS:
        return
    published = {
        "training": ("train", TRAINING.get(classes)),
        "validation": ("val", VALIDATION * classes),
    }
    for name, (part, number) in published.items():
        if part in labelled and number is not None and labelled[part] != number:
            yield (
                f"the CSVs give {labelled[part]:,} {name} videos of Kinetics-{classes}, published "
                f"are {number:,}"
            )


def _part(path: Path, row: Mapping[str, str]) -> str:
    word = row["split"].lower()
    if word not in PARTS:
        raise DataError(f"{path}: unknown split {row['split']!r}; {offer(word, list(PARTS))}")
    return PARTS[word]


def _clip(path: Path, row: Mapping[str, str]) -> str:
    try:
        start, end = float(row["time_start"]), float(row["time_end"])
        return f"{row['youtube_id']}_{int(start):06d}_{int(end):06d}"
    except (ValueError, OverflowError) as error:
        raise DataError(f"{path}: the times of {row['youtube_id']} are no seconds") from error


def _padded(path: str) -> str:
    """Return a file's name with six digits for each time."""
    name = stem(path)
    found = re.fullmatch(r"(.+)_(\d+)_(\d+)", name)
    return f"{found[1]}_{int(found[2]):06d}_{int(found[3]):06d}" if found else name


def _id_of_clip(name: str) -> str:
    return name.rsplit("_", 2)[0]


def _id_of_file(path: str) -> str | None:
    name = stem(path)
    return name if len(name) == _ID_LENGTH else None
