"""Fewer videos than there are, nested: less is always among more. Names and hashes only.

What is taken hangs on the seed and on the videos' names, never on their order.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rotnet.data.units import hash_of, units_of
from rotnet.data.video import Video
from rotnet.errors import DataError


def fraction_of(videos: Sequence[Video], fraction: float, seed: int) -> tuple[Video, ...]:
    """Return a share of videos, in whole units (`rotnet.data.units`), without regard to labels.

    Units are taken in the order of a hash of seed and name, so many that the number of their videos
    is nearest to the share; on a tie, the fewer. That number never falls as the share grows, so a
    smaller share of the same videos is part of a larger one. Whole units, as ten clips of one film
    are less to learn from than ten clips of ten films, and a share that holds some clips of every
    film is little less than all. Where every video is its own unit, as in Kinetics, this is a
    random share of videos.

    Worked: units of 4, 1 and 7 videos in this order and fraction 0.5, so 6 of 12 are wanted: 4, 5
    and 12 can be had, and 5 are taken.

    Args:
        videos: what to take from.
        fraction: in (0, 1]; 1 takes all.
        seed: another seed takes others.

    Returns:
        Videos in the given order; at least one unit, unless there is no video.

    Raises:
        ValueError: if fraction is not in (0, 1].
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction must be greater than 0 and at most 1, got {fraction}")
    if fraction == 1:
        return tuple(videos)
    wanted = fraction * len(videos)
    taken: set[str] = set()
    units = units_of(videos)
    for name in sorted(units, key=lambda name: hash_of(f"fraction {seed}", name)):
        more = len(taken) + len(units[name])
        if taken and more - wanted >= wanted - len(taken):
            break
        taken.update(video.path for video in units[name])
    return tuple(video for video in videos if video.path in taken)


def few_shot(videos: Sequence[Video], shots: int, seed: int) -> tuple[Video, ...]:
    """Return as many videos of every class, of different units as far as there are any.

    The units of a class stand in the order of a hash of seed and name; each gives one video, then
    each a second one, and so on. Fewer shots with the same seed are so among more.

    Args:
        videos: labelled ones.
        shots: of each class that they have, at least 1.
        seed: another seed takes others.

    Returns:
        Videos in the given order.

    Raises:
        ValueError: if shots is less than 1 or a video has no label.
        DataError: if a class has fewer videos.
    """
    if shots < 1:
        raise ValueError(f"shots must be at least 1, got {shots}")
    of_class: dict[str, list[list[Video]]] = defaultdict(list)
    units = units_of(videos)
    for name in sorted(units, key=lambda name: hash_of(f"shots {seed}", name)):
        for label, members in _by_class(units[name]):
            of_class[label].append(members)
    taken: set[str] = set()
    for label, classmates in sorted(of_class.items()):
        chosen = list(islice(_in_turns(classmates, seed), shots))
        if len(chosen) < shots:
            raise DataError(
                f"class {label!r} has {len(chosen)} training videos, and {shots} shots of each "
                f"class are asked for: give at most {len(chosen)}, or more videos"
            )
        taken.update(video.path for video in chosen)
    return tuple(video for video in videos if video.path in taken)


def _by_class(videos: Iterable[Video]) -> Iterator[tuple[str, list[Video]]]:
    found: dict[str, list[Video]] = defaultdict(list)
    for video in videos:
        if video.label is None:
            raise ValueError(f"{video.path} has no label: shots are of classes")
        found[video.label].append(video)
    yield from found.items()


def _in_turns(units: Iterable[list[Video]], seed: int) -> Iterator[Video]:
    """Yield the first video of every unit, then the second of those that have one, and so on."""
    left = [sorted(unit, key=lambda video: hash_of(f"shots {seed}", video.path)) for unit in units]
    while left:
        yield from (unit[0] for unit in left)
        left = [unit[1:] for unit in left if len(unit) > 1]
