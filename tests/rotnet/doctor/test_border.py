"""Bars stand still while the picture moves. Before a tripod all of it does, and that is no bar."""

from pathlib import Path

import numpy as np

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
