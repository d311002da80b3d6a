"""What a storage format must be able to do: pictures become packets, and packets a clip's pixels.

A packet holds one picture. The packets of a video lie one after another in order of display, so a
clip is one contiguous run of bytes, or two where a short video starts again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of a stored picture: rows [top, top + height), columns [left, left + width)."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def whole(cls, height: int, width: int) -> "Crop":
        """Return all of a picture."""
        return cls(0, 0, height, width)

    @property
    def rows(self) -> slice:
        """Its rows."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """Its columns."""
        return slice(self.left, self.left + self.width)


@dataclass(frozen=True, slots=True)
class Run:
    """Packets that follow one another in a video.

    Args:
        data: their bytes.
        sizes: bytes of each.
        wanted: places in the run, rising, whose pictures are wanted, each with the places in the
            result that show it. The run's first packet can be decoded by itself.
    """

    data: Pixels
    sizes: Sequence[int]
    wanted: Sequence[tuple[int, Sequence[int]]]


class DamagedPacketError(Exception):
    """Stored bytes are no pictures of the size that the manifest says."""


class Codec(Protocol):
    """One storage format. Equal pictures give equal bytes.

    Attributes:
        group: every `group`-th packet of a video, from its first, can be decoded by itself.
    """

    group: int

    def encode(self, pictures: Iterable[Pixels]) -> Iterator[bytes]:
        """Yield a packet for each picture (H, W, 3) uint8 RGB, of one size, in order."""

    def decode(self, run: Run, height: int, width: int, crop: Crop, out: Pixels) -> None:
        """Write the wanted pictures of a run, cropped, to their places in `out`.

        Safe to call from several threads.

        Args:
            run: the packets.
            height: of the stored pictures.
            width: likewise.
            crop: what is wanted of each.
            out: (T, crop.height, crop.width, 3) uint8 RGB.

        Raises:
            DamagedPacketError: if the bytes do not decode to such pictures.
        """
