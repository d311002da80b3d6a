"""How large a set will be, judged by a few of its videos. Arithmetic only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

SAMPLE = 8  # videos that are looked at
MARGIN = 1.2  # an estimate that exceeds the room by less may be wrong

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a set will take, and what there is, in bytes; and how many videos that was judged by."""

    num_bytes: int
    free: int
    videos: int

    @property
    def too_large(self) -> bool:
        """Whether it is plain that it will not fit."""
        return self.num_bytes > MARGIN * self.free

    def refusal(self, storage: str) -> str:
        """Return why it is not begun, and the ways out."""
        smaller = {"raw": "--format jpeg or h264", "jpeg": "--format h264"}.get(storage)
        offers = [f"choose {smaller}" if smaller else "", "a smaller --short-side", "another OUT"]
        return (
            f"the set would take about {in_bytes(self.num_bytes)} (judged by {self.videos} "
            f"videos), and {in_bytes(self.free)} are free: {', '.join(filter(None, offers))}"
        )


def sampled(items: Sequence[Item]) -> list[Item]:
    """Return at most SAMPLE items, evenly spread."""
    count = min(SAMPLE, len(items))
    return [items[round(i * (len(items) - 1) / max(1, count - 1))] for i in range(count)]


def estimated(
    *, sizes: Sequence[int], sample: Sequence[tuple[int, int]], free: int
) -> Estimate | None:
    """Return what files of given sizes will take, by what some of them took; None if none is known.

    Args:
        sizes: of all files, in bytes.
        sample: of a few of them, the size and what it took.
        free: bytes on the disk.
    """
    read = sum(size for size, _ in sample)
    if not read:
        return None
    written = sum(taken for _, taken in sample)
    return Estimate(round(sum(sizes) * written / read), free, len(sample))


def in_bytes(number: int) -> str:
    """Return a size as people write it: 1.6 GB."""
    size, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if round(size, 1) < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
