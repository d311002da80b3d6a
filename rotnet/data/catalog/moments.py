"""Moments in Time: trainingSet.csv and validationSet.csv."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rotnet.data.catalog.files import stem
from rotnet.data.catalog.kind import Side
from rotnet.data.catalog.listed import ListedKind
from rotnet.data.catalog.lists import read_rows
from rotnet.data.catalog.matching import Entry, Reading
from rotnet.errors import DataError

# Training and validation videos of the first edition, of 339 classes (arXiv 1801.03150).
CLASSES = 339
PUBLISHED: Mapping[Side, int] = {"train": 802_264, "test": 33_900}


def moments(csvs: Sequence[Path], *, allow_missing: bool = False) -> ListedKind:
    """Return how Moments in Time is read with its CSV files, which have no header.

    A row is class/file.mp4, the class, and how many workers agreed and disagreed. A file is known
    by its name and the folder that it lies in, so that it does not matter whether that is below
    training/ and validation/, as released. The one split trains on the training part and tests on
    the validation part; one CSV alone gives no split. The group is the video that clips were cut
    from: their name without the last number (yt-5of6ffo6-Bw_205 is of yt-5of6ffo6-Bw). CSVs of 339
    classes, as the first edition has, are held against its published numbers; other editions are
    not.

    Args:
        csvs: named as released: training*.csv, validation*.csv.
        allow_missing: go on where the CSVs or the videos are not complete.

    Raises:
        DataError: if a CSV is called otherwise or has other rows, or one names a video twice.
    """
    parts = {path: _part(path) for path in csvs}
    has_split = set(parts.values()) == {"train", "test"}
    entries: list[Entry] = []
    counted: Counter[Side] = Counter()
    for path, side in parts.items():
        rows = read_rows(path)
        counted[side] += len(rows)
        for number, row in enumerate(rows, start=1):
            if len(row) < 2 or "/" not in row[0] or not row[1]:
                raise DataError(f"{path}, row {number}: {','.join(row)!r} is not class/file, class")
            entries.append(Entry(row[0], row[1], _source(row[0]), (side,) if has_split else ()))
    return ListedKind(
        "moments",
        tuple(entries),
        readings=(Reading(_last_two, _last_two),),
        faults=tuple(_other_counts(counted, len({entry.label for entry in entries}))),
        allow_missing=allow_missing,
        why_unsplit="no splits: that takes both the training and the validation CSV",
    )


def _other_counts(counted: Mapping[Side, int], classes: int) -> Iterator[str]:
    if classes != CLASSES:
        return
    names: dict[Side, str] = {"train": "training", "test": "validation"}
    for side, number in counted.items():
        if number != PUBLISHED[side]:
            yield (
                f"the CSVs give {number:,} {names[side]} videos of {classes} classes, published "
                f"are {PUBLISHED[side]:,}"
            )


def _part(path: Path) -> Side:
    name = path.name.lower()
    if name.startswith("train"):
        return "train"
    if name.startswith("val"):
        return "test"
    raise DataError(
        f"{path}: its name says of which part it is, and must begin with train or val, "
        "as trainingSet.csv and validationSet.csv do"
    )


def _source(name: str) -> str:
    return re.sub(r"_\d+$", "", stem(name))


def _last_two(path: str) -> str:
    """Return a path's last folder and file, without the suffix."""
    folder = path.rpartition("/")[0].rpartition("/")[2]
    return f"{folder}/{stem(path)}"
