"""Which files of a source are videos, and what their names say. Nothing is opened.

Each kind of source is a frozen value that finds its videos and, once they are decoded, deals them
into splits.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from rotnet.data.holdout import hold_out
from rotnet.data.manifest import Video
from rotnet.errors import DataError

VIDEO_SUFFIXES = frozenset(
    [
        ".3gp",
        ".asf",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
    ]
)
GIVEN_SPLITS = {"train": "train", "val": "train", "valid": "train", "test": "test"}
WEIZMANN_ACTIONS = (
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
WEIZMANN_SPLITS = 3

Side = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may become a video of the set.

    Args:
        path: relative to the source, with forward slashes.
        label: its class, or None.
        group: what must not be torn apart.
        side: where the source itself says so.
        refusal: why its name alone leaves it out, or empty.
    """

    path: str
    label: str | None
    group: str
    side: Side | None = None
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The candidates of a source, by path, and how many other files were passed over."""

    candidates: tuple[Candidate, ...]
    ignored: int


@dataclass(frozen=True, slots=True)
class Splits:
    """Videos with their splits filled in, and why there are none where there are none."""

    videos: tuple[Video, ...]
    number: int
    note: str = ""


class Kind(Protocol):
    """A way of reading a source."""

    @property
    def name(self) -> str:
        """Return the word that stands for it in commands and headers."""

    @property
    def settings(self) -> dict[str, Any]:
        """Return all of it that can change the set."""

    def find(self, source: Path) -> Listing:
        """Return the videos of a source; raise DataError if its layout is not this kind's."""

    def split(self, videos: Sequence[Video], sides: dict[str, Side]) -> Splits:
        """Deal kept videos into splits; `sides` holds what the source itself says, by path."""


@dataclass(frozen=True, slots=True)
class FolderKind:
    """Any folder: the first folder below the source is the class, if there are folders.

    Where the first folders are all among train, val, valid and test, they are the one split (val
    and valid join train) and the class is the folder below, if there is one. Otherwise a labelled
    set gets `num_splits` random splits: split k holds out `test_fraction` of every class, in whole
    groups, as `hold_out` does with seed k.

    A file named v_*_gNN_cNN belongs to group */gNN, as UCF101 means it; any other is a group of its
    own.

    Args:
        unlabelled: take the folders for mere places.
        num_splits: how many random splits a labelled set gets.
        test_fraction: share of the videos that each holds out.
        name: "folder", or the kind that is read like one.
        origin: what else the videos are made from, for a kind that makes its own.
    """

    unlabelled: bool = False
    num_splits: int = 3
    test_fraction: float = 0.3
    name: str = "folder"
    origin: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if self.num_splits < 1:
            raise DataError(f"the number of splits must be at least 1, got {self.num_splits}")
        if not 0 < self.test_fraction < 1:
            raise DataError(
                f"the test fraction must be between 0 and 1, exclusive, got {self.test_fraction:g}"
            )

    @property
    def settings(self) -> dict[str, Any]:
        """Return all of it that can change the set."""
        found: dict[str, Any] = {
            "kind": self.name,
            "unlabelled": self.unlabelled,
            **dict(self.origin),
        }
        if not self.unlabelled:
            found |= {"num_splits": self.num_splits, "test_fraction": self.test_fraction}
        return found

    def find(self, source: Path) -> Listing:
        """Return every file with a video's suffix below the source, hidden ones aside."""
        paths, ignored = _video_paths(source)
        firsts = sorted({path.split("/")[0] for path in paths if "/" in path})
        loose = [path for path in paths if "/" not in path]
        if self.unlabelled or not firsts:
            return Listing(tuple(Candidate(path, None, _group(path)) for path in paths), ignored)
        if loose:
            raise DataError(
                f"{source} has videos both beside folders and inside them ({loose[0]}; "
                f"{firsts[0]}/...): put each into the folder of its class, or give --unlabelled"
            )
        if not all(first.lower() in GIVEN_SPLITS for first in firsts):
            found = [Candidate(path, path.split("/")[0], _group(path)) for path in paths]
            return Listing(tuple(found), ignored)
        nested = [path.count("/") >= 2 for path in paths]
        if any(nested) and not all(nested):
            raise DataError(
                f"{source}: {', '.join(firsts)} have videos both beside class folders and inside "
                "them: put each into the folder of its class, or give --unlabelled"
            )
        found = [
            Candidate(
                path,
                path.split("/")[1] if all(nested) else None,
                _group(path),
                side=_side(path.split("/")[0]),
            )
            for path in paths
        ]
        return Listing(tuple(found), ignored)

    def split(self, videos: Sequence[Video], sides: dict[str, Side]) -> Splits:
        """Take the source's own split, or draw random ones; an unlabelled set has none."""
        if sides:
            given = tuple(replace(video, splits=(sides[video.path],)) for video in videos)
            return Splits(given, 1)
        if any(video.label is None for video in videos):
            return Splits(tuple(videos), 0)
        tests: list[set[str]] = []
        for number in range(1, self.num_splits + 1):
            try:
                _, test = hold_out(videos, self.test_fraction, seed=number)
            except DataError as error:
                return Splits(tuple(videos), 0, f"no splits: {error}")
            tests.append({video.path for video in test})
        return Splits(_dealt(videos, tests), self.num_splits)


@dataclass(frozen=True, slots=True)
class WeizmannKind:
    """The Weizmann actions: files person_action.avi, in any folder.

    The class is the action, the group the person. The persons in alphabetical order are dealt in
    three runs of equal length (the first ones longer by one where three does not divide their
    number). Split k holds out the k-th run as its test side; with the nine persons of the data
    set: daria denis eli, then ido ira lena, then lyova moshe shahar. A digit after run, skip or
    walk counts a person's repeats.
    """

    name: str = "weizmann"

    @property
    def settings(self) -> dict[str, Any]:
        """Return all of it that can change the set."""
        return {"kind": self.name}

    def find(self, source: Path) -> Listing:
        """Return every video below the source; a name that is not person_action is refused."""
        paths, ignored = _video_paths(source)
        return Listing(tuple(map(_weizmann_candidate, paths)), ignored)

    def split(self, videos: Sequence[Video], sides: dict[str, Side]) -> Splits:
        """Hold out a third of the persons in each split.

        Raises:
            DataError: if there are fewer than three persons.
        """
        del sides  # the protocol is leave persons out, whatever the folders are called
        persons = sorted({video.group for video in videos})
        if len(persons) < WEIZMANN_SPLITS:
            raise DataError(
                f"a weizmann set needs at least {WEIZMANN_SPLITS} persons, one for each split; "
                f"found {len(persons)}: {', '.join(persons)}"
            )
        runs = [set(run) for run in _runs(persons, WEIZMANN_SPLITS)]
        tests = [{video.path for video in videos if video.group in run} for run in runs]
        return Splits(_dealt(videos, tests), WEIZMANN_SPLITS)


def _weizmann_candidate(path: str) -> Candidate:
    person, separator, action = path.split("/")[-1].rpartition(".")[0].partition("_")
    if action not in WEIZMANN_ACTIONS and re.fullmatch(r"(run|skip|walk)\d", action):
        action = action[:-1]
    if person and separator and action in WEIZMANN_ACTIONS:
        return Candidate(path, action, person)
    reason = f"its name is not person_action with an action of {', '.join(WEIZMANN_ACTIONS)}"
    return Candidate(path, None, path, refusal=reason)


def _runs(items: Sequence[str], number: int) -> Iterator[Sequence[str]]:
    """Yield items in `number` runs, in order, whose lengths differ by at most one."""
    start = 0
    for k in range(number):
        end = start + len(items) // number + (k < len(items) % number)
        yield items[start:end]
        start = end


def _dealt(videos: Sequence[Video], tests: Sequence[set[str]]) -> tuple[Video, ...]:
    """Return videos with a split for each set of test paths."""
    return tuple(
        replace(video, splits=tuple("test" if video.path in test else "train" for test in tests))
        for video in videos
    )


def _side(folder: str) -> Side:
    return "test" if GIVEN_SPLITS[folder.lower()] == "test" else "train"


def _group(path: str) -> str:
    match = re.fullmatch(r"v_(.+)_(g\d+)_c\d+", path.split("/")[-1].rpartition(".")[0])
    return f"{match[1]}/{match[2]}" if match else path


def _video_paths(source: Path) -> tuple[list[str], int]:
    """Return the sorted relative paths of all videos below a source, and the number of others."""
    videos: list[str] = []
    ignored = 0
    for path in _files(source, {source.resolve()}):
        if path.suffix.lower() in VIDEO_SUFFIXES:
            videos.append(path.relative_to(source).as_posix())
        else:
            ignored += 1
    return sorted(videos), ignored


def _files(folder: Path, above: set[Path]) -> Iterator[Path]:
    """Yield the files below a folder, links to folders followed unless they lead back up."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if not path.is_dir():
            yield path
        elif (real := path.resolve()) not in above:
            yield from _files(path, above | {real})
