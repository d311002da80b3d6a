"""How kept videos get their splits: as a source gives them, or at random, whole groups each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rotnet.data.catalog.kind import Sides, Splits
from rotnet.data.holdout import hold_out
from rotnet.data.video import Video
from rotnet.errors import DataError

NUM_SPLITS = 3
TEST_FRACTION = 0.3
SHOWN = 3  # names in a sentence before "and so many more"


@dataclass(frozen=True, slots=True)
class RandomSplits:
    """Splits by chance: split k holds out a share of every class, as `hold_out` with seed k.

    Args:
        num_splits: how many.
        test_fraction: share of the videos that each holds out.
    """

    num_splits: int = NUM_SPLITS
    test_fraction: float = TEST_FRACTION

    def __post_init__(self) -> None:
        if self.num_splits < 1:
            raise DataError(f"the number of splits must be at least 1, got {self.num_splits}")
        if not 0 < self.test_fraction < 1:
            raise DataError(
                f"the test fraction must be between 0 and 1, exclusive, got {self.test_fraction:g}"
            )

    def deal(self, videos: Sequence[Video]) -> Splits:
        """Draw the splits; videos of which some have no label get none."""
        unlabelled = sum(video.label is None for video in videos)
        if unlabelled:
            mixed = f"no splits: {unlabelled} of {len(videos)} videos have no label"
            return Splits(tuple(videos), 0, mixed if unlabelled < len(videos) else "")
        tests: list[set[str]] = []
        for number in range(1, self.num_splits + 1):
            try:
                _, test = hold_out(videos, self.test_fraction, seed=number)
            except DataError as error:
                return Splits(tuple(videos), 0, f"no splits: {error}")
            tests.append({video.path for video in test})
        return Splits(held_out(videos, tests), self.num_splits)


def as_given(videos: Sequence[Video], sides: Mapping[str, Sides]) -> Splits:
    """Take the splits that a source gives, and remark on what is odd about them."""
    given = tuple(replace(video, splits=sides[video.path]) for video in videos)
    number = max(len(each) for each in sides.values())
    remarks = [
        remark for index in range(number) for remark in _remarks(given, index, f"split {index + 1}")
    ]
    return Splits(given, number, "; ".join(remarks))


def held_out(videos: Sequence[Video], tests: Sequence[set[str]]) -> tuple[Video, ...]:
    """Return videos with a split for each set of test paths."""
    return tuple(
        replace(video, splits=tuple("test" if video.path in test else "train" for test in tests))
        for video in videos
    )


def named(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are: "a, b, c and 7 more"."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _remarks(videos: Sequence[Video], index: int, split: str) -> Iterator[str]:
    train = [video for video in videos if video.splits[index] == "train"]
    test = [video for video in videos if video.splits[index] == "test"]
    for side, found in (("training", train), ("test", test)):
        if not found:
            yield f"{split} has no {side} videos"
    learnt = {video.label for video in train}
    unlearnt = sorted({video.label or "" for video in test if video.label not in learnt})
    if train and unlearnt:
        yield f"{split} tests classes that nothing trains: {named(unlearnt)}"
    copied = {video.sha256 for video in train} & {video.sha256 for video in test}
    if copied:
        number = sum(video.sha256 in copied for video in test)
        yield f"{split}: test videos that are byte for byte a training video: {number}"
