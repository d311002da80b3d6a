"""Videos that cannot be torn apart, and an order of them that hangs on a seed and on names alone.

A unit is the videos of one group, joined with every group that shares a byte-identical file with
it; its name is the first of theirs.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from rotnet.data.video import Video


def units_of(videos: Iterable[Video]) -> dict[str, list[Video]]:
    """Return the videos of every unit, by its name."""
    videos = list(videos)
    name_of = join_identical(videos)
    units: dict[str, list[Video]] = defaultdict(list)
    for video in videos:
        units[name_of[video.group]].append(video)
    return units


def join_identical(videos: Sequence[Video]) -> dict[str, str]:
    """Return each group's unit: the first name of all the groups that identical files join."""
    parent: dict[str, str] = {video.group: video.group for video in videos}

    def root(group: str) -> str:
        while parent[group] != group:
            group = parent[group]
        return group

    first_with: dict[str, str] = {}
    for video in videos:
        if video.sha256:
            one, other = root(first_with.setdefault(video.sha256, video.group)), root(video.group)
            parent[max(one, other)] = min(one, other)
    return {group: root(group) for group in parent}


def hash_of(seed: int | str, name: str) -> bytes:
    """Return what names are ordered by, so that another seed gives another order."""
    return hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogateescape")).digest()
