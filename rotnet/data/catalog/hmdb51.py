"""HMDB51: the lists named <class>_test_split<k>.txt."""

import re
from collections.abc import Iterator
from pathlib import Path

from rotnet.data.catalog.files import stem
from rotnet.data.catalog.kind import Side
from rotnet.data.catalog.listed import ListedKind, other_counts
from rotnet.data.catalog.lists import read_lines
from rotnet.data.catalog.matching import Entry
from rotnet.errors import DataError

NUM_SPLITS = 3
PUBLISHED = (3570, 1530)  # training and test videos of every split: 70 and 30 of each class
_SIDES: dict[str, Side] = {"0": "unused", "1": "train", "2": "test"}


def hmdb51(lists: Path, *, allow_missing: bool = False) -> ListedKind:
    """Return how HMDB51 is read with its official lists.

    The class is that of the list's name: a video's own name may hold several. The group is the film
    that it was cut from, across classes: the name before the last _<class>_. In the official
    splits no film both trains and tests one class, but some 140 train one class and test another.

    Args:
        lists: folder of the 153 lists; a line is a file's name and 1 (train), 2 (test) or 0
            (unused in this split).
        allow_missing: go on where the lists or the videos are not complete.

    Raises:
        DataError: if there is no list, or one is not as it should be.
    """
    paths = sorted(lists.glob("*_test_split[123].txt"))
    if not paths:
        raise DataError(f"{lists} holds no list named <class>_test_split<1, 2 or 3>.txt")
    sides: dict[tuple[str, str], list[Side]] = {}
    for path in paths:
        label, _, number = path.stem.rpartition("_test_split")
        for name, side in _lines(path):
            every = sides.setdefault((name, label), ["unused"] * NUM_SPLITS)
            every[int(number) - 1] = side
    entries = tuple(
        Entry(name, label, _film(name, label), tuple(every))
        for (name, label), every in sorted(sides.items())
    )
    faults = other_counts(entries, [PUBLISHED] * NUM_SPLITS)
    return ListedKind("hmdb51", entries, faults=faults, allow_missing=allow_missing)


def _lines(path: Path) -> Iterator[tuple[str, Side]]:
    for line in read_lines(path):
        found = re.fullmatch(r"(.+?)\s+([012])", line)
        if not found:
            raise DataError(f"{path}: {line!r} is not a file's name and 0, 1 or 2")
        yield found[1], _SIDES[found[2]]


def _film(name: str, label: str) -> str:
    film, between, _ = stem(name).rpartition(f"_{label}_")
    if not between:
        raise DataError(f"{name} is on a list of {label}, and its name has no _{label}_")
    return film
