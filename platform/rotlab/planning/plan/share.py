"""What share of a device a stage takes whose memory was measured. Arithmetic only."""

import math
from dataclasses import dataclass

MARGIN = 1.2  # times what was measured: other videos, and the allocator's gaps
MOST = 8  # stages that share a device: each has a context and a core of its own, and all its units
_UNITS = 10_000  # of a device, in which Ray counts


@dataclass(frozen=True, slots=True)
class Peak:
    """The most of a device's memory that a stage held.

    Args:
        device: its name.
        total: bytes of the device.
        peak: bytes that the stage's process held at most, with all that the driver keeps for it.
    """

    device: str
    total: int
    peak: int

    def __post_init__(self) -> None:
        if self.total <= 0 or self.peak < 0:
            raise ValueError(
                f"a device has some memory and a stage none or more, got {self.total} and "
                f"{self.peak} bytes"
            )


def fraction(number: int) -> float:
    """Return the share that so many stages have of a device, rounded down to what Ray counts in.

    >>> fraction(1), fraction(4), fraction(6)
    (1.0, 0.25, 0.1666)
    """
    return _UNITS // number / _UNITS


def share(measured: Peak) -> float:
    """Return 1/n of a device, for the most stages of MARGIN times the peak that it holds.

    At most MOST share a device; what needs more than half of one has it alone.

    >>> share(Peak("A", 80, 10)), share(Peak("A", 80, 50)), share(Peak("A", 80, 0))
    (0.1666, 1.0, 0.125)
    """
    needed = MARGIN * measured.peak
    fit = MOST if needed == 0 else math.floor(measured.total / needed)
    return fraction(min(MOST, max(1, fit)))
