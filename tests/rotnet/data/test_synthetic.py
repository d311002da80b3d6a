"""Synthetic videos keep the promises that the demo rests on."""

from pathlib import Path

import av
import numpy as np
import pytest

from rotnet.data.synthetic import ACTIONS, PAIRS, render, write_videos
from rotnet.errors import DataError


def scenes(action: str | None, count: int) -> np.ndarray:
    """(count, T, H, W) grey."""
    frames = [render(action, np.random.default_rng([7, index])) for index in range(count)]
    return np.stack(frames).astype(np.float64).mean(axis=-1)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_actions_of_a_pair_are_each_other_played_backwards(first: str, second: str) -> None:
    forwards = render(first, np.random.default_rng(3))
    backwards = render(second, np.random.default_rng(3))
    assert np.array_equal(forwards, backwards[::-1])
    assert not np.array_equal(forwards, backwards)


def test_single_frames_have_one_law_under_every_action() -> None:
    """Which pair moves is not in a frame: mean and spread of a random frame agree between pairs."""
    rng = np.random.default_rng(0)
    count = 120
    samples = [
        scenes(first, count)[np.arange(count), rng.integers(0, 40, count)] for first, _ in PAIRS
    ]
    blurred = [s.reshape(count, 6, 8, 7, 8).mean(axis=(2, 4)).reshape(count, -1) for s in samples]
    for one in blurred[1:]:
        error = np.sqrt(one.var(axis=0) / count + blurred[0].var(axis=0) / count)
        z = (one.mean(axis=0) - blurred[0].mean(axis=0)) / error
        assert np.abs(z).max() < 4.5


def test_the_order_of_frames_tells_fall_from_rise() -> None:
    """The centre of what changes moves down in a fall and up in a rise."""
    for action, sign in (("fall", 1), ("rise", -1)):
        clips = scenes(action, 10)
        bright = np.clip(clips - np.median(clips, axis=1, keepdims=True) - 40, 0, None)
        y = np.arange(clips.shape[2])[:, None]
        centre = (bright * y).sum(axis=(2, 3)) / (bright.sum(axis=(2, 3)) + 1e-9)
        moved = centre[:, -5:].mean(axis=1) - centre[:, :5].mean(axis=1)
        assert (sign * moved > 4).all()


def test_the_pool_falls() -> None:
    clips = scenes(None, 10)
    bright = np.clip(clips - 120, 0, None)
    y = np.arange(clips.shape[2])[:, None]
    centre = (bright * y).sum(axis=(2, 3)) / bright.sum(axis=(2, 3))
    assert (centre[:, -1] - centre[:, 0] > 5).all()


def test_background_has_no_direction() -> None:
    """Away from the objects, the mean square step across rows equals the one across columns."""
    clips = scenes("grow", 150)[:, 0]
    corners = np.stack([clips[:, :12, :12], clips[:, :12, -12:]])
    rows = np.square(np.diff(corners, axis=-2)).mean()
    columns = np.square(np.diff(corners, axis=-1)).mean()
    assert rows / columns == pytest.approx(1.0, abs=0.1)


def test_files_are_h264_balanced_and_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_videos(tmp_path / name, num_videos=len(ACTIONS), seed=5)
    first = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.mp4"))
    assert [path.parent.name for path in first] == list(ACTIONS)
    for path in first:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    with av.open(str(tmp_path / "one" / first[0])) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    truth = render(ACTIONS[0], np.random.default_rng([5, 0]))
    assert len(decoded) == len(truth)
    assert np.abs(np.stack(decoded).astype(int) - truth).mean() < 6


def test_the_pool_has_no_classes(tmp_path: Path) -> None:
    write_videos(tmp_path, num_videos=2, seed=0, pool=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pool_00000.mp4", "pool_00001.mp4"]


def test_no_videos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be positive, got 0"):
        write_videos(tmp_path, num_videos=0, seed=0)
