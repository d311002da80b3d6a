"""Bars stand still while the picture moves. Before a tripod all of it does, and that is no bar."""

from pathlib import Path

import numpy as np
import pytest

from rotnet.data.catalog import FolderKind
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import encode
from rotnet.doctor.border import still_sides, stillness


def moving(height: int = 56, width: int = 72, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(60, 200, (12, height, width, 3), dtype=np.uint8)


def test_each_side_is_looked_at_by_itself() -> None:
    for side, place in enumerate([np.s_[:, :4], np.s_[:, :, -4:], np.s_[:, -4:], np.s_[:, :, :4]]):
        frames = moving()
        frames[place] = 16
        assert still_sides(frames) == [index == side for index in range(4)]


@pytest.mark.parametrize("bar", [3, 8, 11, 14, 21, 23])  # of 56 lines: 5 to 41 %
def test_a_bar_is_found_however_wide_it_is(bar: int) -> None:
    frames = moving()
    frames[:, :bar] = frames[:, -bar:] = 16
    assert still_sides(frames) == [True, False, True, False]


def test_a_picture_that_moves_more_and_more_towards_its_middle_has_no_bar() -> None:
    still = np.repeat(moving()[:1], 12, axis=0)
    noise = moving(seed=1) - 130.0
    ramp = np.clip(np.arange(56) / 28, 0, 1)[:28] ** 2
    weight = np.concatenate([ramp, ramp[::-1]])[None, :, None, None] * 0.1
    frames = (still + weight * noise).clip(0, 255).astype(np.uint8)
    assert still_sides(frames)[0] is False
    assert still_sides(frames)[2] is False


def test_before_a_still_camera_no_side_stands_still_by_itself() -> None:
    frames = np.repeat(moving()[:1], 12, axis=0)
    frames[:, 25:31, 30:42] = moving()[:, 25:31, 30:42]
    assert still_sides(frames) == [False] * 4


def test_a_set_prepared_with_its_bars_kept_is_flagged_and_with_them_cut_is_not(
    tmp_path: Path,
) -> None:
    source = tmp_path / "videos"
    source.mkdir()
    for number in range(6):
        frames = moving(seed=number)
        frames[:, :10] = frames[:, -10:] = 0
        encode(frames, source / f"{number}.mp4")
    flagged = {}
    for bars in ("cut", "keep"):
        storage = Storage(short_side=48, bars="cut" if bars == "cut" else "keep")
        kind = FolderKind(unlabelled=True)
        prepared = prepare(source, tmp_path / bars, kind, storage=storage).manifest
        flagged[bars] = stillness(prepared.select("pretrain"))
    assert flagged["keep"].still == 6
    assert flagged["keep"].flagged
    assert flagged["cut"].still == 0
    assert not flagged["cut"].flagged


def test_sets_whose_bars_are_cut_keep_the_identity_they_had_before_there_was_a_choice() -> None:
    assert Storage().settings == {"short_side": 136, "min_frames": 16}
    assert Storage(bars="keep").settings["bars"] == "keep"


def test_the_synthetic_pool_has_no_still_border(pool: Manifest) -> None:
    assert stillness(pool.select("pretrain")).still == 0
