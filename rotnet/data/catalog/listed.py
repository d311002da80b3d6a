"""A set whose videos are named by lists: what they say, what is there, what is missing."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rotnet.data.catalog.dealing import RandomSplits, as_given, named
from rotnet.data.catalog.files import video_paths
from rotnet.data.catalog.kind import Candidate, Listing, Sides, Splits
from rotnet.data.catalog.matching import BY_STEM, Entry, Matched, Reading, match
from rotnet.data.video import Video
from rotnet.errors import DataError


@dataclass(frozen=True, slots=True)
class ListedKind:
    """Videos that lists name: labels, groups and splits are theirs, whatever folders are called.

    Videos that no list names are counted, said and not used. Listed videos that are missing are
    an error that says which, unless that is allowed.

    Args:
        name: of the set.
        entries: what the lists say.
        readings: how files are known to be entries, the surest first.
        faults: what is wrong with the lists themselves, such as counts other than the published.
        allow_missing: go on where the lists or the videos are not complete; it is noted.
        by_chance: how a labelled set is split where its lists do not say.
        why_unsplit: why there are no splits, where there are none.
    """

    name: str
    entries: tuple[Entry, ...]
    readings: tuple[Reading, ...] = BY_STEM
    faults: tuple[str, ...] = ()
    allow_missing: bool = False
    by_chance: RandomSplits | None = field(default=None, kw_only=True)
    why_unsplit: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        times = Counter(entry.name for entry in self.entries)
        twice = next((name for name, number in times.items() if number > 1), None)
        if twice is not None:
            raise DataError(f"the lists of {self.name} name {twice} {times[twice]} times")
        if not self.entries:
            raise DataError(f"the lists of {self.name} name no video")

    @property
    def settings(self) -> dict[str, Any]:
        """Return all of it that can change the set; lists are known by what they say."""
        said = sorted(
            [each.name, each.label, each.group, list(each.sides)] for each in self.entries
        )
        text = json.dumps(said, separators=(",", ":"))
        found: dict[str, Any] = {
            "kind": self.name,
            "lists": hashlib.sha256(text.encode()).hexdigest()[:32],
        }
        if self.by_chance:
            found |= {
                "num_splits": self.by_chance.num_splits,
                "test_fraction": self.by_chance.test_fraction,
            }
        return found

    def find(self, source: Path) -> Listing:
        """Return the listed videos that are there.

        Raises:
            DataError: if the set is not complete and may not be, or two files are one video.
        """
        paths, ignored = video_paths(source)
        try:
            matched = match(self.entries, paths, self.readings)
        except DataError as error:
            raise DataError(f"{source}: {error}") from error
        if paths and not matched.found:
            raise DataError(
                f"{source} holds none of the {len(self.entries):,} videos that the lists of "
                f"{self.name} name, such as {self.entries[0].name}; of the {len(paths):,} that it "
                f"holds the first is {paths[0]}"
            )
        wrong = [*self.faults, *([_said_missing(matched)] if matched.missing else [])]
        if paths and wrong and not self.allow_missing:
            raise DataError(
                f"{source} is not the whole of {self.name}: {'; '.join(wrong)}. Complete it, or "
                f"give --allow-missing to go on with the {len(matched.found):,} that are there"
            )
        if matched.unlisted:
            wrong.append(
                f"videos on no list, not used: {len(matched.unlisted):,} "
                f"({named(matched.unlisted)})"
            )
        return Listing(
            candidates=tuple(_candidate(path, entry) for path, entry in matched.found),
            ignored=ignored,
            counts={
                "listed": len(self.entries),
                "missing": len(matched.missing),
                "unlisted": len(matched.unlisted),
            },
            notes=tuple(wrong),
        )

    def split(self, videos: Sequence[Video], sides: Mapping[str, Sides]) -> Splits:
        """Take the lists' splits; without any, draw some if that is wanted."""
        if sides:
            return as_given(videos, sides)
        if self.by_chance:
            return self.by_chance.deal(videos)
        return Splits(tuple(videos), 0, self.why_unsplit)


def other_counts(entries: Iterable[Entry], published: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Say in which splits lists do not give the published numbers of training and test videos."""
    given = [Counter(sides) for sides in zip(*(entry.sides for entry in entries), strict=True)]
    return tuple(
        f"the lists give split {number} {counted['train']:,} training and {counted['test']:,} test "
        f"videos, published are {train:,} and {test:,}"
        for number, (counted, (train, test)) in enumerate(zip(given, published, strict=True), 1)
        if (counted["train"], counted["test"]) != (train, test)
    )


def _candidate(path: str, entry: Entry) -> Candidate:
    group = path if entry.group is None else entry.group
    return Candidate(path, entry.label, group, entry.sides)


def _said_missing(matched: Matched) -> str:
    """Say how many listed videos are missing: whole classes first, then the first of the others."""
    there = {entry.label for _, entry in matched.found}
    gone = sorted({entry.label for entry in matched.missing if entry.label} - there)
    others = [entry.name for entry in matched.missing if entry.label not in gone]
    total = len(matched.missing) + len(matched.found)
    said = f"{len(matched.missing):,} of {total:,} listed videos are missing"
    parts = []
    if gone:
        parts.append(
            f"all of {len(gone)} {'class' if len(gone) == 1 else 'classes'} ({named(gone)})"
        )
    if others:
        parts.append(f"{len(others):,}{' besides' if gone else ''} ({named(others)})")
    return f"{said}: {' and '.join(parts)}"
