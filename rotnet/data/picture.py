"""The size a picture is stored in, and its reduction to that size. Arrays only; no files."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rotnet.data.framestore.codec import Crop
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
    frame: NDArray[np.uint8], area: Area, size: tuple[int, int], crop: Crop | None = None
) -> NDArray[np.uint8]:
    """Return the area of a frame in its stored size, or a crop of that.

    The filter is a triangle as wide as two source pixels per stored one: free of aliases, and
    symmetric, so that it says nothing of how the picture was turned (Pillow's box filter breaks
    ties towards one side).

    Args:
        frame: (H, W, 3) uint8.
        area: what to keep of it.
        size: (width, height) of the result without a crop.
        crop: what is wanted of the result; None is all. No pixel of it is another for that.

    Returns:
        (height, width, 3) uint8 of the crop, or of all, contiguous.
    """
    crop = crop or Crop.whole(size[1], size[0])
    rows, columns = slice(area.y, area.y + area.height), slice(area.x, area.x + area.width)
    picture = frame[rows, columns]
    if size == (area.width, area.height):
        return np.ascontiguousarray(picture[crop.rows, crop.columns])
    return _reduced(picture, size, crop)


def _reduced(picture: NDArray[np.uint8], size: tuple[int, int], crop: Crop) -> NDArray[np.uint8]:
    """Return a crop of a picture reduced to a size: its rows first, then its columns.

    Each pass is rounded to whole levels, so the order shows; left to itself, Pillow takes columns
    first from version 13 on where they shrink much more. Rows that no wanted row is made of need no
    first pass, and columns that are not wanted no second.
    """
    width, height = size
    full = len(picture)
    first, end = _sources(crop.rows, full / height, full)
    part = Image.fromarray(np.ascontiguousarray(picture[first:end]))
    narrow = part.resize((width, end - first), Image.Resampling.BILINEAR)
    tall = narrow.crop((crop.left, -first, crop.left + crop.width, full - first))
    low = tall.resize((crop.width, height), Image.Resampling.BILINEAR)
    return np.asarray(low.crop((0, crop.top, crop.width, crop.top + crop.height)))


def _sources(wanted: slice, scale: float, length: int) -> tuple[int, int]:
    """Return the [first, end) of the source lines that wanted lines are made of.

    Worked: of 240 lines reduced to 136 (scale 1.76), lines [12, 124) are made of [19, 221): the
    triangle around a line's centre reaches one scale to either side, and one more is for rounding.
    """
    first = floor((wanted.start + 0.5) * scale - scale) - 1
    end = ceil((wanted.stop - 0.5) * scale + scale) + 1
    return max(0, first), min(length, end)
