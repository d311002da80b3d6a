"""How much of a picture a turned crop needs. Integers only; no torch."""

import math

from rotnet.config import ClipConfig, PretrainConfig

SHIFT = 0.5  # source pixels: the centre moves by up to so much, along both axes
OVER = 2  # the source is sampled so many times finer than wanted
MARGIN = 3.0  # source pixels around what is sampled: the kernel's, and most of the filter's reach


def source_side(size: int) -> int:
    """Return the side of the square that holds a square of `size` turned by any angle.

    Worked: 32 pixels take 53, 112 take 167.
    """
    corner = math.sqrt(2) * ((size - 1 / OVER) / 2 + SHIFT)
    return math.ceil(2 * (corner + MARGIN)) + 1


def read_for(config: PretrainConfig) -> ClipConfig:
    """Return what to read of a video for a rotation task.

    Where any rotation of a crop must fit, that is the square that holds them all. A picture whose
    short side would not hold that square is enlarged, which the loader counts.
    """
    return room_for(config.clip) if config.pretext.any_angle else config.clip


def room_for(clip: ClipConfig) -> ClipConfig:
    """Return what to read of a video so that its crop can be turned by any angle."""
    side = source_side(clip.size)
    side += (side - clip.size) % 2  # so that the crop has a centre among whole pixels
    return clip.model_copy(update={"size": side, "resize": max(clip.resize, side)})
