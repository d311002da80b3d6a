"""Which file is which entry of a list, by names alone.

Names on disk are not always those of the lists: another suffix after re-encoding, UCF101's
v_HandStandPushups in the folder HandstandPushups, HMDB51's `#`, `!`, `;` replaced by whatever a
file system or a tool would take. A *reading* makes a key of either; the surest reading comes first,
and a later one joins only what is left, and only where a key stands for one entry and one file: in
HMDB51 `Smile!_smile_h_cm_np1_fr_goo_0` and `Smile_smile_h_cm_np1_fr_goo_0` are two videos.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rotnet.data.catalog.files import stem
from rotnet.data.catalog.kind import Sides
from rotnet.errors import DataError


@dataclass(frozen=True, slots=True)
class Entry:
    """A video that a list names.

    Args:
        name: as the list has it; no other entry's.
        label: its class, or None.
        group: what must not be torn apart; None where the file's path is its own group.
        sides: in each split; empty where the lists give none.
    """

    name: str
    label: str | None
    group: str | None
    sides: Sides


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to make one key of an entry's name and of a file's path; None where it has none."""

    of_entry: Callable[[str], str | None]
    of_file: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Matched:
    """Files with their entries, by path; entries without a file; files without an entry."""

    found: tuple[tuple[str, Entry], ...]
    missing: tuple[Entry, ...]
    unlisted: tuple[str, ...]


def match(entries: Sequence[Entry], paths: Sequence[str], readings: Iterable[Reading]) -> Matched:
    """Return which of the files is which of the entries.

    Raises:
        DataError: if two files are equally surely one entry.
    """
    found: dict[str, Entry] = {}
    entries, paths = list(entries), list(paths)
    for number, reading in enumerate(readings):
        wanted, there = _by_key(entries, reading), _files_by_key(paths, reading)
        for key, named in wanted.items():
            files = there.get(key, [])
            if number == 0 and len(files) > 1:
                raise DataError(
                    f"there are {len(files)} files for {named[0].name}: {files[0]} and {files[1]}; "
                    "keep one, or give the folder of one of them"
                )
            if len(named) == len(files) == 1:
                found[files[0]] = named[0]
        taken = {entry.name for entry in found.values()}
        entries = [entry for entry in entries if entry.name not in taken]
        paths = [path for path in paths if path not in found]
    return Matched(tuple(sorted(found.items())), tuple(entries), tuple(paths))


def _by_key(entries: Iterable[Entry], reading: Reading) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        key = reading.of_entry(entry.name)
        if key is not None:
            found[key].append(entry)
    return found


def _files_by_key(paths: Iterable[str], reading: Reading) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        key = reading.of_file(path)
        if key is not None:
            found[key].append(path)
    return found


def _underscored(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z_.-]", "_", stem(name))


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", stem(name).casefold())


# The file's name, whatever its folder and suffix; with special characters replaced; letters alone.
BY_STEM = (Reading(stem, stem), Reading(_underscored, _underscored), Reading(_plain, _plain))
