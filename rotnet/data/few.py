"""A few videos in place of all, where work is only tried: what sets give while that is so."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextvars import ContextVar
from itertools import chain, islice, zip_longest

from rotnet.data.units import units_of
from rotnet.data.video import Video

CLASSES = 2  # that a few videos are of
_wanted: ContextVar[tuple[int, int] | None] = ContextVar("wanted", default=None)


@contextlib.contextmanager
def few_videos(number: int | None, classes: int = CLASSES) -> Iterator[None]:
    """Have every set give at most so many videos in each role until this is left; None: all.

    Fingerprints, classes and splits of sets stay as they are. It holds for this thread.

    Args:
        number: of videos.
        classes: of so many classes they are, at most.
    """
    before = _wanted.set(None if number is None else (number, classes))
    try:
        yield
    finally:
        _wanted.reset(before)


def given(videos: Iterable[Video], beside: Sequence[Iterable[Video]] = ()) -> tuple[Video, ...]:
    """Return videos as they are, or a few of them where a few are wanted.

    Those are of as many classes as are wanted, as many of each, and of as many units
    (`rotnet.data.units`) as can be, the longest of each first: where some of all videos are long
    enough for a clip, or can be held out, so can some of these. Both sides of a split give the same
    classes: those that both have, and of them those with most units to learn from.

    Args:
        videos: those of a role.
        beside: the two sides of its split, that to learn from first; none where there is no split.
    """
    videos, wanted = tuple(videos), _wanted.get()
    if wanted is None or len(videos) <= wanted[0]:
        return videos
    number, classes = wanted
    by_class = _by_class(videos)
    sides = [_by_class(side) for side in beside] or [by_class]

    def rank(label: str) -> tuple[bool, int, str]:
        return any(label not in side for side in sides), -len(sides[0].get(label, ())), label

    labels = sorted(by_class, key=rank)[: min(classes, number)]
    each = number // len(labels)
    chosen = {video.path for label in labels for video in islice(_turns(by_class[label]), each)}
    return tuple(video for video in videos if video.path in chosen)


def _by_class(videos: Iterable[Video]) -> dict[str, list[list[Video]]]:
    """Class -> its videos by unit; without labels all are of one class."""
    found: dict[str, list[list[Video]]] = defaultdict(list)
    for members in units_of(videos).values():
        parts: dict[str, list[Video]] = defaultdict(list)
        for video in members:
            parts[video.label or ""].append(video)
        for label, part in parts.items():
            found[label].append(part)
    return found


def _turns(units: Iterable[list[Video]]) -> Iterator[Video]:
    """One video of every unit, then a second one, and so on; long ones first."""
    ordered = [sorted(unit, key=lambda video: (-video.frames, video.path)) for unit in units]
    ordered.sort(key=lambda unit: (-unit[0].frames, unit[0].path))
    rounds = chain.from_iterable(zip_longest(*ordered))
    return (video for video in rounds if video is not None)
