"""Which frames form a clip."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rotnet.config import ClipConfig
from rotnet.data.sampling import even_places, frame_indices, random_place, resized, seams

CLIP = ClipConfig(frames=4, stride=3, resize=20, size=16)


@given(num_frames=st.integers(1, 60), seed=st.integers(0, 999))
def test_a_random_clip_lies_inside_its_video(num_frames: int, seed: int) -> None:
    place = random_place(num_frames, 20, 27, CLIP, 0.5, np.random.default_rng(seed))
    for modality in ("rgb", "dif"):
        indices = frame_indices(place.start, num_frames, CLIP, modality)
        assert all(0 <= index < num_frames for index in indices)
    assert 0 <= place.top <= 4
    assert 0 <= place.left <= 11


def test_every_start_can_be_drawn() -> None:
    rng = np.random.default_rng(0)
    starts = {random_place(15, 20, 20, CLIP, 0.0, rng).start for _ in range(200)}
    assert starts == {0, 1, 2}


@given(num_frames=st.integers(1, 60), seed=st.integers(0, 99))
def test_dif_sees_the_frames_of_rgb_and_one_more(num_frames: int, seed: int) -> None:
    place = random_place(num_frames, 20, 20, CLIP, 0.5, np.random.default_rng(seed))
    rgb = list(frame_indices(place.start, num_frames, CLIP, "rgb"))
    dif = list(frame_indices(place.start, num_frames, CLIP, "dif"))
    assert dif[:-1] == rgb
    assert len(rgb) == CLIP.frames


def test_a_video_shorter_than_a_clip_loops() -> None:
    assert list(frame_indices(0, 5, CLIP, "dif")) == [0, 3, 1, 4, 2]


def test_a_video_shorter_than_a_clip_can_hold_its_last_frame() -> None:
    padded = CLIP.model_copy(update={"short_video": "pad_last"})
    assert list(frame_indices(0, 5, padded, "dif")) == [0, 3, 4, 4, 4]


def test_even_clips_reach_from_the_first_frame_to_the_last() -> None:
    places = even_places(100, 20, 20, CLIP, 10)
    assert len(places) == 10
    assert places[0].start == 0
    assert places[-1].start + CLIP.window == 100
    gaps = {b.start - a.start for a, b in pairwise(places)}
    assert max(gaps) - min(gaps) <= 1


def test_a_video_without_room_gives_each_clip_once() -> None:
    assert [place.start for place in even_places(CLIP.window + 2, 20, 20, CLIP, 10)] == [0, 1, 2]
    assert [place.start for place in even_places(3, 20, 20, CLIP, 10)] == [0]


def test_a_single_clip_and_its_crop_are_in_the_middle() -> None:
    (place,) = even_places(33, 20, 26, CLIP, 1)
    assert (place.start, place.top, place.left, place.flip) == (10, 2, 5, False)


@given(height=st.integers(16, 60), width=st.integers(16, 60))
def test_three_crops_cover_both_ends_of_the_longer_side(height: int, width: int) -> None:
    places = even_places(33, height, width, CLIP, 2, crops=3)
    (centre,) = {(place.top, place.left) for place in even_places(33, height, width, CLIP, 1)}
    starts = sorted({place.start for place in places})
    corners = [(place.top, place.left) for place in places if place.start == starts[0]]
    assert centre in corners
    assert [(p.start, p.top, p.left) for p in places] == [(s, *c) for s in starts for c in corners]
    if height == width:
        assert corners == [centre]
        return
    longer = 0 if height > width else 1
    ends = [corner[longer] for corner in corners]
    assert min(ends) == 0
    assert max(ends) == max(height, width) - CLIP.size
    assert {corner[1 - longer] for corner in corners} == {centre[1 - longer]}
    assert len(set(corners)) == len(corners) <= 3


@given(st.integers(16, 2000), st.integers(16, 2000))
def test_resizing_scales_both_sides_by_one_factor(height: int, width: int) -> None:
    new_height, new_width = resized(height, width, 136)
    assert min(new_height, new_width) == 136
    factor = 136 / min(height, width)
    assert abs(new_height - height * factor) <= 0.5
    assert abs(new_width - width * factor) <= 0.5


def test_the_seams_of_a_looped_video_are_the_differences_that_go_back_to_its_start() -> None:
    clip = ClipConfig(frames=4, stride=8, resize=16, size=8)
    assert seams(0, 20, clip) == [False, False, True, False]  # frames 0, 8, 16, 4, 12
    assert seams(0, 40, clip) == [False] * 4
    assert seams(3, 20, clip) == [False, False, True, False]  # frames 3, 11, 19, 7, 15
    held = clip.model_copy(update={"short_video": "pad_last"})
    assert seams(0, 20, held) == [False] * 4
