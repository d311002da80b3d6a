"""Which packets a clip needs: as few reads of them as its frames allow. Integers only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GAP = 64  # packets that are passed over in one read rather than begin another


@dataclass(frozen=True, slots=True)
class Read:
    """Packets [first, end) that are read in one go, and the wanted ones among them."""

    first: int
    end: int
    wanted: tuple[int, ...]


def places_of(indices: Sequence[int]) -> dict[int, list[int]]:
    """Return for each wanted frame, rising, the places in the clip that show it.

    Example:
        places_of([0, 8, 4, 0]) is {0: [0, 3], 4: [2], 8: [1]}.
    """
    found: dict[int, list[int]] = {}
    for place, index in enumerate(indices):
        found.setdefault(index, []).append(place)
    return dict(sorted(found.items()))


def reads_of(wanted: Iterable[int], group: int) -> list[Read]:
    """Return the reads that bring rising frame numbers.

    Each begins where decoding can. Worked: frames 3, 5 and 17 in groups of 8 are one read, [0, 18).
    A short video that starts again within a clip may have its wanted frames at both of its ends,
    and then two reads.

    Args:
        wanted: rising.
        group: every group-th packet can be decoded by itself.
    """
    reads: list[Read] = []
    for index in wanted:
        begin = index - index % group
        if reads and begin <= reads[-1].end + GAP:
            last = reads.pop()
            reads.append(Read(last.first, index + 1, (*last.wanted, index)))
        else:
            reads.append(Read(begin, index + 1, (index,)))
    return reads


def needed(wanted: Sequence[int], group: int) -> list[int]:
    """Return the packets that have to be decoded for the wanted ones, which rise.

    Example:
        needed([3, 5, 9], 8) is [0, 1, 2, 3, 4, 5, 8, 9]: nothing needs 6 and 7.
    """
    found: list[int] = []
    for index in wanted:
        begin = index - index % group
        after = found[-1] + 1 if found else begin
        found.extend(range(max(begin, after), index + 1))
    return found
