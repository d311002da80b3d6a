"""Which packets a clip needs: as few runs of them as decoding allows. Integers only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP = 64  # packets that are passed over in one read rather than begin another


@dataclass(frozen=True, slots=True)
class Stretch:
    """Packets [first, end) that are decoded one after another, and the wanted ones among them."""

    first: int
    end: int
    wanted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """Packets [first, end) that are read in one go, and what of them is decoded."""

    first: int
    end: int
    stretches: tuple[Stretch, ...]


def places_of(indices: Sequence[int]) -> dict[int, list[int]]:
    """Return for each wanted frame, rising, the places in the clip that show it.

    Example:
        places_of([0, 8, 4, 0]) is {0: [0, 3], 4: [2], 8: [1]}.
    """
    found: dict[int, list[int]] = {}
    for place, index in enumerate(indices):
        found.setdefault(index, []).append(place)
    return dict(sorted(found.items()))


def reads_of(wanted: Mapping[int, object] | Sequence[int], group: int) -> list[Read]:
    """Return the reads that bring rising frame numbers.

    Decoding goes on from one wanted frame to the next unless a packet that can be decoded by itself
    lies between them, and begins anew there. Worked: frames 3, 5 and 17 in groups of 8 are one read
    [0, 18) of two stretches, [0, 6) and [16, 18). A short video that starts again within a clip has
    the wanted frames at both of its ends: two reads.

    Args:
        wanted: at least one.
        group: every group-th packet can be decoded by itself.
    """
    reads: list[list[Stretch]] = []
    for index in wanted:
        begin = index - index % group
        last = reads[-1][-1] if reads else None
        if last is None or begin > last.end + GAP:
            reads.append([Stretch(begin, index + 1, (index,))])
        elif begin >= last.end and group > 1:
            reads[-1].append(Stretch(begin, index + 1, (index,)))
        else:
            reads[-1][-1] = Stretch(last.first, index + 1, (*last.wanted, index))
    return [Read(each[0].first, each[-1].end, tuple(each)) for each in reads]
