"""UT-Interaction: two sets of segmented videos, each with ten sequences."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from rotnet.data.catalog.files import stem, video_paths
from rotnet.data.catalog.kind import Candidate, Listing, Side, Sides, Splits
from rotnet.data.video import Video
from rotnet.errors import DataError

CLASSES = ("hand-shake", "hug", "kick", "point", "punch", "push")
SEQUENCES_PER_SET = 10  # set 1 is sequences 1 to 10, set 2 is 11 to 20
VIDEOS_PER_SET = 60


@dataclass(frozen=True, slots=True)
class UtInteractionKind:
    """UT-Interaction's segmented videos: files index_sequence_class, in any folder.

    The protocol is within a set, leave one sequence out (SDHA contest, ICPR 2010): every split
    holds out one sequence and trains on the nine others of its set; the other set's videos are
    unused in it. With both sets, split k holds out sequence k, so that splits 1 to 10 are set 1's
    and 11 to 20 set 2's; with set 2 alone, split k holds out sequence k + 10. Where sequences are
    missing, the splits follow those that are there, in the order of their numbers.

    Args:
        only: one of the sets, or None for both.
        allow_missing: go on where the 60 videos of a set are not all there.
    """

    only: Literal[1, 2] | None = None
    allow_missing: bool = False
    name: str = "ut-interaction"

    @property
    def settings(self) -> dict[str, Any]:
        """Return all of it that can change the set."""
        return {"kind": self.name, "set": self.only or "both"}

    def find(self, source: Path) -> Listing:
        """Return the wanted sets' videos; a name that is not index_sequence_class is refused.

        Raises:
            DataError: if a set is not complete, or a video is there twice.
        """
        paths, ignored = video_paths(source)
        candidates = [_candidate(path) for path in paths]
        wanted = ("set1", "set2") if self.only is None else (f"set{self.only}",)
        used = tuple(each for each in candidates if each.refusal or _set_of(each.group) in wanted)
        present = [each for each in used if not each.refusal]
        others = len(candidates) - len(used)
        if others and not present:
            raise DataError(
                f"{source} has {others} videos of the other set, none of set {self.only}"
            )
        _refuse_doubles(source, present)
        missing, said = _missing(wanted, present)
        if present and missing and not self.allow_missing:
            raise DataError(
                f"{source}: {said}: complete it, choose one set by --set, or give --allow-missing "
                f"to go on with the {len(present)} that are there"
            )
        notes = [said] if missing else []
        if others:
            notes.append(f"{others} videos of the other set are not used")
        listed = VIDEOS_PER_SET * len(wanted)
        counts = {"listed": listed, "missing": missing, "unlisted": others}
        return Listing(used, ignored, counts, tuple(notes))

    def split(self, videos: Sequence[Video], sides: Mapping[str, Sides]) -> Splits:
        """Hold out each sequence in turn, within its set.

        Raises:
            DataError: if a set has a single sequence.
        """
        del sides  # the names say it
        sequences = sorted({video.group for video in videos})
        for which in sorted({_set_of(sequence) for sequence in sequences}):
            of_set = [sequence for sequence in sequences if _set_of(sequence) == which]
            if len(of_set) < 2:
                raise DataError(
                    f"{which} of ut-interaction has a single sequence, {of_set[0]}: leaving it out "
                    "leaves nothing to learn from; give at least two"
                )
        return Splits(
            tuple(
                replace(video, splits=tuple(_side(video.group, held) for held in sequences))
                for video in videos
            ),
            len(sequences),
        )


def _candidate(path: str) -> Candidate:
    match = re.fullmatch(r"\d+_(\d+)_(\d+)", stem(path))
    if match and 1 <= int(match[1]) <= 2 * SEQUENCES_PER_SET and int(match[2]) < len(CLASSES):
        sequence = int(match[1])
        which = 1 + (sequence > SEQUENCES_PER_SET)
        return Candidate(path, CLASSES[int(match[2])], f"set{which}/seq{sequence:02}")
    reason = (
        "its name is not index_sequence_class with a sequence of 1 to "
        f"{2 * SEQUENCES_PER_SET} and a class of 0 to {len(CLASSES) - 1}"
    )
    return Candidate(path, None, path, refusal=reason)


def _refuse_doubles(source: Path, present: Sequence[Candidate]) -> None:
    first: dict[str, str] = {}
    for found in present:
        other = first.setdefault(stem(found.path), found.path)
        if other != found.path:
            raise DataError(
                f"{source} holds {stem(found.path)} twice, {other} and {found.path}: keep one, or "
                "give the folder of one of them"
            )


def _missing(wanted: Sequence[str], present: Sequence[Candidate]) -> tuple[int, str]:
    """Return how many videos of the wanted sets are missing, and a sentence that says so."""
    there = Counter(_set_of(found.group) for found in present)
    short = {name: VIDEOS_PER_SET - there[name] for name in wanted if there[name] < VIDEOS_PER_SET}
    said = (
        f"{lack} of the {VIDEOS_PER_SET} videos of set {name[-1]}" for name, lack in short.items()
    )
    return sum(short.values()), f"{' and '.join(said)} are missing"


def _set_of(sequence: str) -> str:
    return sequence.partition("/")[0]


def _side(sequence: str, held: str) -> Side:
    if sequence == held:
        return "test"
    return "train" if _set_of(sequence) == _set_of(held) else "unused"
