"""What a picture is reduced to: a crop of it is the crop of the whole, bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from rotnet.data.framestore.codec import Crop
from rotnet.data.picture import cut_and_shrink
from rotnet.data.video import Area

SIDES = st.integers(1, 60)


def noise(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def in_two_passes(frame: NDArray[np.uint8], area: Area, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Reduce all of an area: its rows, then its columns."""
    picture = frame[area.y : area.y + area.height, area.x : area.x + area.width]
    image = Image.fromarray(np.ascontiguousarray(picture))
    narrow = image.resize((size[0], area.height), Image.Resampling.BILINEAR)
    return np.asarray(narrow.resize(size, Image.Resampling.BILINEAR))


@given(st.data(), SIDES, SIDES, st.integers(0, 99))
def test_a_crop_is_the_crop_of_the_whole_reduced_picture(
    data: st.DataObject, height: int, width: int, seed: int
) -> None:
    low, narrow = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    tall, wide = data.draw(st.integers(1, low)), data.draw(st.integers(1, narrow))
    top, left = data.draw(st.integers(0, low - tall)), data.draw(st.integers(0, narrow - wide))
    area = Area(3, 2, width, height)
    frame = noise(height + 5, width + 4, seed)
    whole = in_two_passes(frame, area, (narrow, low))
    np.testing.assert_array_equal(cut_and_shrink(frame, area, (narrow, low)), whole)
    crop = Crop(top, left, tall, wide)
    found = cut_and_shrink(frame, area, (narrow, low), crop)
    np.testing.assert_array_equal(found, whole[crop.rows, crop.columns])
    assert found.flags.c_contiguous


@pytest.mark.parametrize("size", [(320, 240), (1280, 720), (1920, 1080), (240, 320), (173, 136)])
def test_common_sizes_are_reduced_as_by_one_call_and_cropped_alike(size: tuple[int, int]) -> None:
    width, height = size
    stored = (round(width * 136 / min(size)), round(height * 136 / min(size)))
    frame, area = noise(height, width, 0), Area(0, 0, width, height)
    whole = cut_and_shrink(frame, area, stored)
    at_once = Image.fromarray(frame).resize(stored, Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(whole, np.asarray(at_once))
    for top, left in ((0, 0), (7, 3), (stored[1] - 112, stored[0] - 112)):
        crop = Crop(top, left, 112, 112)
        found = cut_and_shrink(frame, area, stored, crop)
        np.testing.assert_array_equal(found, whole[crop.rows, crop.columns])
