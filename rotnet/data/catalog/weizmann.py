"""The Weizmann actions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rotnet.data.catalog.dealing import held_out
from rotnet.data.catalog.files import stem, video_paths
from rotnet.data.catalog.kind import Candidate, Listing, Sides, Splits
from rotnet.data.video import Video
from rotnet.errors import DataError

PERSONS = ("daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar")
ACTIONS = (
    "bend",
    "jack",
    "jump",
    "pjump",
    "run",
    "side",
    "skip",
    "walk",
    "wave1",
    "wave2",
)
NUM_SPLITS = 3
LISTED = 3


@dataclass(frozen=True, slots=True)
class WeizmannKind:
    """The Weizmann actions: files person_action.avi, in any folder.

    The class is the action, the group the person. The persons in alphabetical order are dealt in
    three runs of equal length (the first ones longer by one where three does not divide their
    number). Split k holds out the k-th run as its test side; with the nine persons of the data
    set: daria denis eli, then ido ira lena, then lyova moshe shahar. A digit after run, skip or
    walk counts a person's repeats.

    Args:
        allow_missing: go on where not each of the nine persons does each of the ten actions.
    """

    allow_missing: bool = False
    name: str = "weizmann"

    @property
    def settings(self) -> dict[str, Any]:
        """Return all of it that can change the set."""
        return {"kind": self.name}

    def find(self, source: Path) -> Listing:
        """Return every video below the source; a name that is not person_action is refused.

        Raises:
            DataError: if the set is not complete.
        """
        paths, ignored = video_paths(source)
        found = tuple(map(_candidate, paths))
        there = {(one.group, one.label) for one in found if not one.refusal}
        wanted = [(person, action) for person in PERSONS for action in ACTIONS]
        missing = [
            f"{person}_{action}" for person, action in wanted if (person, action) not in there
        ]
        if not there or not missing:
            return Listing(found, ignored)
        more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
        said = f"of {len(wanted)} actions are missing: {', '.join(missing[:LISTED])}{more}"
        if not self.allow_missing:
            raise DataError(
                f"{source}: {said}: complete it, or give --allow-missing to go on with the rest"
            )
        counts = {"listed": len(wanted), "missing": len(missing)}
        return Listing(found, ignored, counts, (said,))

    def split(self, videos: Sequence[Video], sides: Mapping[str, Sides]) -> Splits:
        """Hold out a third of the persons in each split.

        Raises:
            DataError: if there are fewer than three persons.
        """
        del sides  # the protocol is leave persons out, whatever the folders are called
        persons = sorted({video.group for video in videos})
        if len(persons) < NUM_SPLITS:
            raise DataError(
                f"a weizmann set needs at least {NUM_SPLITS} persons, one for each split; "
                f"found {len(persons)}: {', '.join(persons)}"
            )
        runs = [set(run) for run in _runs(persons, NUM_SPLITS)]
        tests = [{video.path for video in videos if video.group in run} for run in runs]
        return Splits(held_out(videos, tests), NUM_SPLITS)


def _candidate(path: str) -> Candidate:
    person, separator, action = stem(path).partition("_")
    if action not in ACTIONS and re.fullmatch(r"(run|skip|walk)\d", action):
        action = action[:-1]
    if person and separator and action in ACTIONS:
        return Candidate(path, action, person)
    reason = f"its name is not person_action with an action of {', '.join(ACTIONS)}"
    return Candidate(path, None, path, refusal=reason)


def _runs(items: Sequence[str], number: int) -> Iterator[Sequence[str]]:
    """Yield items in `number` runs, in order, whose lengths differ by at most one."""
    start = 0
    for k in range(number):
        end = start + len(items) // number + (k < len(items) % number)
        yield items[start:end]
        start = end
