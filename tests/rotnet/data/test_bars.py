"""Bars, on brightness drawn by the test."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rotnet.data.bars import brightness, find_area
from rotnet.data.video import Area

Levels = NDArray[np.uint8]
N, HEIGHT, WIDTH = 24, 96, 128
WHOLE = Area(0, 0, WIDTH, HEIGHT)


def scene(seed: int = 0, low: int = 60, high: int = 230) -> Levels:
    """Blocks of 4 pixels that change all over in every frame."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(low, high, (N, HEIGHT // 4, WIDTH // 4), dtype=np.uint8)
    return blocks.repeat(4, axis=1).repeat(4, axis=2)


def barred(
    frames: Levels, top: int = 0, bottom: int = 0, left: int = 0, right: int = 0, level: int = 0
) -> Levels:
    frames = frames.copy()
    frames[:, :top] = level
    frames[:, HEIGHT - bottom :] = level
    frames[:, :, :left] = level
    frames[:, :, WIDTH - right :] = level
    return frames


def with_noise(frames: Levels, deviation: float) -> Levels:
    noise = np.random.default_rng(1).normal(0, deviation, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def assert_cut(area: Area, top: int, bottom: int, left: int, right: int) -> None:
    """Every line of a bar is cut, and of the picture at most two lines beside a bar."""
    found = (area.y, HEIGHT - area.y - area.height, area.x, WIDTH - area.x - area.width)
    for cut, bar in zip(found, (top, bottom, left, right), strict=True):
        assert bar <= cut <= (bar + 2 if bar else 0), f"cut {found} for {top, bottom, left, right}"


SIDES = [
    (16, 16, 10, 10),
    (20, 0, 0, 0),
    (0, 9, 0, 0),
    (0, 0, 13, 0),
    (0, 0, 0, 5),
    (1, 2, 0, 0),
    (14, 15, 0, 30),
    (0, 0, 40, 40),
]


@pytest.mark.parametrize("sides", SIDES)
def test_bars_on_any_side_are_cut_wholly_and_hardly_more(
    sides: tuple[int, int, int, int],
) -> None:
    assert_cut(find_area(barred(scene(), *sides)), *sides)


@pytest.mark.parametrize("sides", SIDES)
def test_noise_in_the_bars_changes_nothing(sides: tuple[int, int, int, int]) -> None:
    assert_cut(find_area(with_noise(barred(scene(), *sides, level=4), 2.5)), *sides)


def test_lines_that_ringing_leaves_half_dark_are_cut_with_the_bar() -> None:
    frames = barred(scene(), top=16, left=10)
    frames[:, 16:18] = frames[:, 16:18] // 4
    frames[:, :, 10] = frames[:, :, 10] // 2
    area = find_area(frames)
    assert (area.x, area.y) >= (11, 18)
    assert area.width >= WIDTH - 14
    assert area.height >= HEIGHT - 21


def test_bars_that_differ_in_brightness_are_both_cut() -> None:
    frames = barred(scene(), left=10)
    frames[:, :12] = 30
    assert_cut(find_area(frames), 12, 0, 10, 0)


def test_bright_bars_are_cut_where_they_face_each_other() -> None:
    assert_cut(find_area(barred(scene(high=180), left=20, right=20, level=255)), 0, 0, 20, 20)


def test_a_bright_flat_sky_over_a_straight_roof_is_picture() -> None:
    assert find_area(barred(scene(high=180), top=20, level=255)) == WHOLE


def test_a_picture_without_bars_is_left_whole() -> None:
    assert find_area(scene()) == WHOLE


@pytest.mark.parametrize("level", [0, 20, 128, 255])
def test_a_wholly_flat_picture_is_left_whole(level: int) -> None:
    assert find_area(np.full((N, HEIGHT, WIDTH), level, np.uint8)) == WHOLE


@pytest.mark.parametrize("background", [0, 16, 128, 240])
def test_a_plain_background_around_a_moving_thing_is_picture(background: int) -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    frames = np.full((N, HEIGHT, WIDTH), background, np.uint8)
    for index in range(N):
        inside = (y - 50) ** 2 + (x - 10 - 4.5 * index) ** 2 < 20**2
        frames[index][inside] = 200 if background < 128 else 60
    assert find_area(frames) == WHOLE


def test_a_night_sky_above_a_ragged_skyline_is_picture() -> None:
    heights = np.random.default_rng(0).integers(25, 60, WIDTH // 8).repeat(8)
    frames = scene()
    sky = np.arange(HEIGHT)[:, None] < heights[None]
    frames[:, sky] = 6
    assert find_area(with_noise(frames, 2.0)) == WHOLE


def test_a_dark_noisy_scene_keeps_its_picture_and_loses_its_bars() -> None:
    dark = scene(low=16, high=60)
    assert find_area(with_noise(dark, 3.0)) == WHOLE
    assert_cut(find_area(barred(with_noise(dark, 3.0), top=14, bottom=14)), 14, 14, 0, 0)


def test_a_bar_that_is_not_always_there_is_picture() -> None:
    frames = barred(scene(), top=16)
    frames[0] = scene(seed=5)[0]
    assert find_area(frames).y == 0


def test_never_more_than_seven_tenths_of_a_side_are_cut() -> None:
    area = find_area(barred(scene(), top=40, bottom=40, left=20))
    assert (area.y, area.height) == (0, HEIGHT)
    assert area.x >= 20


def test_turning_the_frames_turns_the_area() -> None:
    frames = barred(scene(), top=16, bottom=7, left=3)
    area = find_area(frames)
    turned = find_area(np.rot90(frames, axes=(1, 2)))
    assert (turned.x, turned.y) == (area.y, WIDTH - area.x - area.width)
    assert (turned.width, turned.height) == (area.height, area.width)


def test_brightness_is_the_brightest_channel() -> None:
    frame = np.array([[[0, 7, 3], [9, 1, 2], [0, 0, 4]]], np.uint8)
    assert brightness(frame).tolist() == [[7, 9, 4]]
