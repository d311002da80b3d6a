"""Any folder of videos: what its folders and names say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rotnet.data.catalog.dealing import NUM_SPLITS, TEST_FRACTION, RandomSplits, as_given
from rotnet.data.catalog.files import stem, video_paths
from rotnet.data.catalog.kind import Candidate, Listing, Side, Sides, Splits
from rotnet.data.video import Video
from rotnet.errors import DataError

GIVEN_SPLITS: dict[str, Side] = {"train": "train", "val": "train", "valid": "train", "test": "test"}


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
    num_splits: int = NUM_SPLITS
    test_fraction: float = TEST_FRACTION
    name: str = "folder"
    origin: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        RandomSplits(self.num_splits, self.test_fraction)  # refuses impossible ones

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
        paths, ignored = video_paths(source)
        firsts = sorted({path.split("/")[0] for path in paths if "/" in path})
        loose = [path for path in paths if "/" not in path]
        if self.unlabelled or not firsts:
            found = tuple(Candidate(path, None, group_of(path)) for path in paths)
            return Listing(found, ignored)
        if loose:
            raise DataError(
                f"{source} has videos both beside folders and inside them ({loose[0]}; "
                f"{firsts[0]}/...): put each into the folder of its class, or give --unlabelled"
            )
        if not all(first.lower() in GIVEN_SPLITS for first in firsts):
            found = tuple(Candidate(path, path.split("/")[0], group_of(path)) for path in paths)
            return Listing(found, ignored)
        nested = [path.count("/") >= 2 for path in paths]
        if any(nested) and not all(nested):
            raise DataError(
                f"{source}: {', '.join(firsts)} have videos both beside class folders and inside "
                "them: put each into the folder of its class, or give --unlabelled"
            )
        found = tuple(
            Candidate(
                path,
                path.split("/")[1] if all(nested) else None,
                group_of(path),
                sides=(GIVEN_SPLITS[path.split("/")[0].lower()],),
            )
            for path in paths
        )
        return Listing(found, ignored)

    def split(self, videos: Sequence[Video], sides: Mapping[str, Sides]) -> Splits:
        """Take the source's own split, or draw random ones; an unlabelled set has none."""
        if sides:
            return as_given(videos, sides)
        return RandomSplits(self.num_splits, self.test_fraction).deal(videos)


def group_of(path: str) -> str:
    """Return the group that UCF101's way of naming gives a file, else the path itself."""
    match = re.fullmatch(r"v_(.+)_(g\d+)_c\d+", stem(path))
    return f"{match[1]}/{match[2]}" if match else path
