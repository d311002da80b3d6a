"""UCF101: the lists named trainlist0k.txt and testlist0k.txt."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rotnet.data.catalog.folder import group_of
from rotnet.data.catalog.kind import Side
from rotnet.data.catalog.listed import ListedKind, other_counts
from rotnet.data.catalog.lists import read_lines
from rotnet.data.catalog.matching import Entry
from rotnet.errors import DataError

# Training and test videos of splits 1 to 3, counted in the published lists.
PUBLISHED = ((9537, 3783), (9586, 3734), (9624, 3696))
_BOTH: tuple[Side, Side] = ("train", "test")
_LINE = re.compile(r"(?P<label>[^/\s]+)/(?P<file>v_\S+_g\d+_c\d+\S*)(?:\s+\d+)?")


def ucf101(lists: Path, *, allow_missing: bool = False) -> ListedKind:
    """Return how UCF101 is read with its official lists.

    The class is the folder that the lists give, the group its gNN. The lists say
    HandstandPushups/v_HandstandPushups_g01_c01.avi where the released file is called
    v_HandStandPushups_g01_c01.avi.

    Args:
        lists: folder of trainlist01.txt, testlist01.txt and so on to 03.
        allow_missing: go on where the lists or the videos are not complete.

    Raises:
        DataError: if a list is missing or is not one, or two of them contradict one another.
    """
    sides: dict[str, dict[int, Side]] = {}
    for index in range(len(PUBLISHED)):
        for side in _BOTH:
            for name in _names(lists / f"{side}list{index + 1:02}.txt"):
                if sides.setdefault(name, {}).setdefault(index, side) != side:
                    raise DataError(f"{lists}: {name} both trains and tests split {index + 1}")
    entries = tuple(_entry(name, found) for name, found in sorted(sides.items()))
    faults = other_counts(entries, PUBLISHED)
    return ListedKind("ucf101", entries, faults=faults, allow_missing=allow_missing)


def _names(path: Path) -> Iterator[str]:
    for line in read_lines(path):
        found = _LINE.fullmatch(line)
        if not found:
            raise DataError(f"{path}: {line!r} is not Class/v_Class_gNN_cNN.avi and an index")
        yield f"{found['label']}/{found['file']}"


def _entry(name: str, sides: Mapping[int, Side]) -> Entry:
    every = tuple(sides.get(index, "unused") for index in range(len(PUBLISHED)))
    return Entry(name, name.partition("/")[0], group_of(name), every)
