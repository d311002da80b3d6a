"""The size a picture is stored in, and its reduction to that size. Arrays only; no files."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rotnet.data.video import Area


def stored_size(area: Area, pixel_aspect: Fraction, short_side: int) -> tuple[int, int]:
    """Return the (width, height) in which a picture is stored.

    Pixels that are not square are made so by shrinking the longer of their sides; then both sides
    shrink by one factor until the shorter is at most short_side. Nothing is ever enlarged. Worked:
    320x240 with square pixels and short side 136 gives 181x136; 720x576 with pixels of 16:15 gives
    181x136 as well.

    Args:
        area: the picture without its bars.
        pixel_aspect: width of a pixel by its height, in the upright picture.
        short_side: at most so many pixels.
    """
    width, height = Fraction(area.width), Fraction(area.height)
    if pixel_aspect > 1:
        height /= pixel_aspect
    else:
        width *= pixel_aspect
    factor = min(Fraction(1), short_side / min(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def cut_and_shrink(
    frame: NDArray[np.uint8], area: Area, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return the area of a frame in its stored size.

    The filter is a triangle as wide as two source pixels per stored one: free of aliases, and
    symmetric, so that it says nothing of how the picture was turned (Pillow's box filter breaks
    ties towards one side).

    Args:
        frame: (H, W, 3) uint8.
        area: what to keep of it.
        size: (width, height) of the result.

    Returns:
        (height, width, 3) uint8, contiguous.
    """
    rows, columns = slice(area.y, area.y + area.height), slice(area.x, area.x + area.width)
    picture = np.ascontiguousarray(frame[rows, columns])
    if size == (area.width, area.height):
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
