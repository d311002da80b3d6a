"""Which videos are held out, by whole units. Names and hashes only; no chance beyond the seed."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rotnet.data.units import hash_of, units_of
from rotnet.data.video import Video
from rotnet.errors import DataError


def hold_out(
    videos: Sequence[Video], fraction: float, seed: int
) -> tuple[tuple[Video, ...], tuple[Video, ...]]:
    """Part videos into those kept and those held out, by whole groups and evenly over classes.

    Units are taken in the order of a hash of seed and group, so the order of the videos plays no
    part. A class (all videos together where there are no labels) is owed its share of
    round(fraction * number), rounded so that the shares add up; a unit is held out where that
    brings the classes nearer to what they are owed, and never where it would leave a class with
    nothing to learn from. Worked: 9 persons, each once in 10 classes, fraction 0.1: 9 of 90 videos
    are owed, and one person, 10 videos, is held out.

    Args:
        videos: what to part.
        fraction: share to hold out, in [0, 1); 0 holds out nothing.
        seed: another seed holds out others.

    Returns:
        Kept and held-out videos, both in the given order.

    Raises:
        ValueError: if fraction is not in [0, 1).
        DataError: if no group can be held out.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction must be at least 0 and less than 1, got {fraction}")
    if fraction == 0:
        return tuple(videos), ()
    units = units_of(videos)
    order = sorted(units, key=lambda name: hash_of(seed, name))
    left = Counter(_class(video) for video in videos)
    owed = _quotas(left, fraction, seed)
    held: set[str] = set()
    for name in order:
        brings = Counter(_class(video) for video in units[name])
        empties = any(left[label] == number for label, number in brings.items())
        if empties or _gain(owed, brings) <= 0:
            continue
        held.add(name)
        owed.subtract(brings)
        left.subtract(brings)
    if not held:
        held = _smallest(order, units, left)
    gone = {video.path for name in held for video in units[name]}
    kept = tuple(video for video in videos if video.path not in gone)
    return kept, tuple(video for video in videos if video.path in gone)


def _class(video: Video) -> str:
    return "" if video.label is None else video.label


def _quotas(sizes: Counter[str], fraction: float, seed: int) -> Counter[str]:
    """Return how many videos of each class are owed: largest remainders, at least 1 in all."""
    shares = {label: fraction * number for label, number in sizes.items()}
    quotas = Counter({label: int(share) for label, share in shares.items()})
    missing = max(1, round(sum(shares.values()))) - sum(quotas.values())
    by_remainder = sorted(
        shares, key=lambda label: (quotas[label] - shares[label], hash_of(seed, label))
    )
    quotas.update(by_remainder[: max(0, missing)])
    return quotas


def _gain(owed: Counter[str], brings: Counter[str]) -> int:
    """Return by how much a unit brings the classes nearer to what they are still owed."""
    return sum(abs(owed[label]) - abs(owed[label] - number) for label, number in brings.items())


def _smallest(order: Iterable[str], units: dict[str, list[Video]], left: Counter[str]) -> set[str]:
    """Return the smallest unit that leaves every class something, where all exceed what is owed."""
    fit = [
        name
        for name in order
        if all(left[label] > number for label, number in Counter(map(_class, units[name])).items())
    ]
    if not fit:
        raise DataError(
            f"cannot hold out any of {sum(left.values())} videos in {len(units)} groups: each "
            "holds all videos of some class; give more videos or finer groups, or hold out none"
        )
    return {min(fit, key=lambda name: len(units[name]))}
