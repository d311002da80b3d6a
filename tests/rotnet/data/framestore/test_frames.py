"""Frames of a set, by video and number, out of whatever format."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotnet.data import frames
from rotnet.data.frames import FrameReader
from rotnet.data.framestore import packing, shards
from rotnet.data.framestore.codec import Crop
from rotnet.data.framestore.formats import FORMATS, Format
from rotnet.data.framestore.layout import INDEX_FILE, RECORD_FILE, shard_name
from rotnet.data.manifest import Manifest
from rotnet.data.video import Video
from rotnet.errors import DataError
from tests.rotnet.data.framestore.samples import Pictures, flip_a_byte, smooth, write_set

SIZES = {"a.mp4": (20, 24, 36), "b.mp4": (1, 24, 36), "c.mp4": (9, 31, 25), "d.mp4": (150, 16, 18)}
CONTENT = {name: smooth(*size, seed=n) for n, (name, size) in enumerate(SIZES.items())}


@pytest.fixture(params=FORMATS)
def storage(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every video is in a shard of its own."""
    monkeypatch.setattr(packing, "SHARD_BYTES", 1)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are taken for whole, as after a check that has been remembered."""
    monkeypatch.setattr(frames, "check_stored", lambda *_: None)
    monkeypatch.setattr(shards, "check_stored", lambda *_: None)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return write_set(tmp_path_factory.mktemp("raw"), CONTENT)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, list[int], Crop]:
    name = draw(st.sampled_from(sorted(SIZES)))
    count, height, width = SIZES[name]
    indices = draw(st.lists(st.integers(0, count - 1), max_size=20))
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    size = draw(st.integers(1, height - top)), draw(st.integers(1, width - left))
    return name, indices, Crop(top, left, *size)


@given(request=requests())
def test_raw_frames_are_the_pictures_that_were_stored(
    raw: Manifest, request: tuple[str, list[int], Crop]
) -> None:
    name, indices, crop = request
    video = raw.videos[sorted(SIZES).index(name)]
    expected = CONTENT[name][indices][:, crop.rows, crop.columns]
    reader = FrameReader(raw.folder, verify=True)
    np.testing.assert_array_equal(reader.read(video, indices, crop=crop), expected)
    out = np.empty_like(expected)
    assert reader.read(video, indices, crop=crop, out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.usefixtures("small_shards")
def test_frames_of_every_format_and_shard_are_those_of_their_video(
    storage: Format, tmp_path: Path
) -> None:
    manifest = write_set(tmp_path / "set", CONTENT, storage)
    assert [video.shard for video in manifest.videos] == [0, 1, 2, 3]
    for verify in (False, True):
        reader = FrameReader(manifest.folder, verify=verify)
        for video in manifest.videos:
            pictures = CONTENT[video.path]
            whole = reader.read(video, slice(None))
            assert whole.shape == pictures.shape
            assert np.abs(whole.astype(int) - pictures).mean() < 6
            for some in (slice(0, 5, 2), slice(None, None, -3), slice(-2, None), slice(7, 3)):
                np.testing.assert_array_equal(reader.read(video, some), whole[some])
            ends = [video.frames - 1, 0, video.frames - 1]
            np.testing.assert_array_equal(reader.read(video, ends), whole[ends])


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc/self/fd")
@pytest.mark.usefixtures("small_shards")
def test_a_reader_keeps_few_shards_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAPS", 2)
    manifest = write_set(tmp_path / "set", CONTENT)
    reader = FrameReader(manifest.folder)

    def kept_open() -> int:
        links = (link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
        return sum(str(link).startswith(str(tmp_path / "set" / "frames-")) for link in links)

    for video in (*manifest.videos, *manifest.videos):
        np.testing.assert_array_equal(reader.read(video, slice(None)), CONTENT[video.path])
        assert kept_open() <= 2


def test_threads_share_a_reader(storage: Format, tmp_path: Path) -> None:
    manifest = write_set(tmp_path / "set", CONTENT, storage)
    reader = FrameReader(manifest.folder)
    whole = {
        video.path: FrameReader(manifest.folder).read(video, slice(None))
        for video in manifest.videos
    }

    def clip(number: int) -> bool:
        video = manifest.videos[number % len(manifest.videos)]
        indices = [(number + 3 * k) % video.frames for k in range(5)]
        return np.array_equal(reader.read(video, indices), whole[video.path][indices])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(clip, range(80)))


def test_what_was_read_is_the_callers_own(raw: Manifest) -> None:
    reader = FrameReader(raw.folder)
    first = reader.read(raw.videos[0], [0, 1])
    first[:] = 0
    np.testing.assert_array_equal(reader.read(raw.videos[0], [0, 1]), CONTENT["a.mp4"][:2])


@pytest.mark.parametrize("indices", [[20], [0, -1], [3, 4, 2000]])
def test_a_frame_that_a_video_has_not_is_refused(raw: Manifest, indices: list[int]) -> None:
    wrong = next(index for index in indices if not 0 <= index < 20)
    with pytest.raises(IndexError, match=rf"a.mp4: frame {wrong} is out of range; .* \[0, 20\)"):
        FrameReader(raw.folder).read(raw.videos[0], indices)


@pytest.mark.parametrize(
    "crop",
    [
        Crop(0, 0, 25, 36),
        Crop(0, 0, 24, 37),
        Crop(-1, 0, 4, 4),
        Crop(0, -1, 4, 4),
        Crop(21, 0, 4, 4),
        Crop(0, 33, 4, 4),
        Crop(4, 4, 0, 4),
        Crop(4, 4, 4, -2),
    ],
)
def test_a_crop_that_leaves_the_picture_is_refused(raw: Manifest, crop: Crop) -> None:
    with pytest.raises(IndexError, match=r"a.mp4: Crop\(.*\) leaves its pictures of 36x24"):
        FrameReader(raw.folder).read(raw.videos[0], [0], crop=crop)


@pytest.mark.parametrize("shape", [(3, 24, 36, 3), (2, 24, 36, 1), (24, 36, 3), (2, 4, 4, 3)])
def test_a_place_of_another_shape_is_refused(raw: Manifest, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"where \(2, 24, 36, 3\) are asked for"):
        FrameReader(raw.folder).read(raw.videos[0], [0, 1], out=np.empty(shape, np.uint8))


def test_a_video_that_was_left_out_has_no_frames(raw: Manifest) -> None:
    video = replace(raw.videos[0], status="left_out", reason="it is empty")
    with pytest.raises(DataError, match=r"holds no frames of a.mp4 \(left_out\)"):
        FrameReader(raw.folder).read(video, [0])


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"shard": 1},
        {"shard": -1},
        {"packet": 175},
        {"packet": -1},
        {"offset": -1},
        {"offset": 10**6},
        {"offset": 10**12},
    ],
)
def test_a_row_that_points_elsewhere_is_named(raw: Manifest, elsewhere: dict[str, int]) -> None:
    video = replace(raw.videos[0], **elsewhere)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"frames of a.mp4 are damaged .*: prepare the set again"):
        FrameReader(raw.folder).read(video, [0, 19])


def test_a_flipped_byte_is_found_before_the_first_use_of_a_file(
    storage: Format, tmp_path: Path
) -> None:
    manifest = write_set(tmp_path / "set", CONTENT, storage)
    flip_a_byte(tmp_path / "set" / shard_name(0), 300)
    with pytest.raises(DataError, match=r"frames-00000.bin is damaged"):
        FrameReader(manifest.folder).read(manifest.videos[-1], [0])


@pytest.mark.usefixtures("unchecked")
def test_a_byte_that_flips_later_is_found_where_clips_are_verified(
    storage: Format, tmp_path: Path
) -> None:
    manifest = write_set(tmp_path / "set", CONTENT, storage)
    video, other = manifest.videos[0], manifest.videos[2]
    reader = FrameReader(manifest.folder, verify=True)
    reader.read(video, [0, 3])
    flip_a_byte(tmp_path / "set" / shard_name(0), video.offset + video.num_bytes // 2)
    with pytest.raises(DataError, match=r"frames of a.mp4 are damaged .the checksum of a frame"):
        reader.read(video, range(video.frames))
    reader.read(other, range(other.frames))
    FrameReader(manifest.folder).read(other, range(other.frames))


@pytest.mark.parametrize("length", [0.5, 0.0])
@pytest.mark.parametrize("remembered", [True, False])
def test_a_truncated_shard_is_named(tmp_path: Path, length: float, remembered: bool) -> None:
    manifest = write_set(tmp_path / "set", CONTENT)
    if remembered:
        FrameReader(manifest.folder).read(manifest.videos[0], [0])
    path = tmp_path / "set" / shard_name(0)
    path.write_bytes(path.read_bytes()[: round(length * path.stat().st_size)])
    with pytest.raises(DataError, match=r"frames-00000.bin has \d+ bytes where \d+ were written"):
        FrameReader(manifest.folder).read(manifest.videos[0], [0])


@pytest.mark.usefixtures("unchecked")
def test_bytes_beyond_the_end_of_a_file_are_damage(storage: Format, tmp_path: Path) -> None:
    manifest = write_set(tmp_path / "set", CONTENT, storage)
    path = tmp_path / "set" / shard_name(0)
    path.write_bytes(path.read_bytes()[: manifest.videos[-1].offset + 1])
    with pytest.raises(DataError, match=r"d.mp4 are damaged .its bytes lie beyond the end"):
        FrameReader(manifest.folder).read(manifest.videos[-1], [4])


@pytest.mark.parametrize("name", [shard_name(0), INDEX_FILE, RECORD_FILE])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    manifest = write_set(tmp_path / "set", CONTENT)
    (tmp_path / "set" / name).unlink()
    with pytest.raises(DataError, match=rf"{name} .*: prepare the set again"):
        FrameReader(manifest.folder).read(manifest.videos[0], [0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:40], "cannot be read"),
        (lambda _: "[]", "cannot be read"),
        (lambda text: text.replace("rotnet-frames", "other"), "is not the record of a frame store"),
        (
            lambda text: text.replace('layout_version": 1', 'layout_version": 2'),
            "use a newer rotnet",
        ),
        (lambda text: text.replace('"raw"', '"mpeg"'), "there is no storage format 'mpeg'"),
    ],
    ids=["cut", "no object", "another", "newer", "unknown format"],
)
def test_a_record_that_cannot_be_used_says_why(
    tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    manifest = write_set(tmp_path / "set", CONTENT)
    path = tmp_path / "set" / RECORD_FILE
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match=said):
        FrameReader(manifest.folder)


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    manifest = write_set(tmp_path / "set", CONTENT)
    flip_a_byte(tmp_path / "set" / INDEX_FILE, 200)
    with pytest.raises(DataError, match=r"index.npy is damaged"):
        FrameReader(manifest.folder)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("storage", ["jpeg", "h264"])
def test_packets_that_do_not_decode_are_damage_of_their_video(
    storage: Format, tmp_path: Path
) -> None:
    manifest = write_set(tmp_path / "set", CONTENT, storage)
    path = tmp_path / "set" / shard_name(0)
    first = manifest.videos[0]
    path.write_bytes(bytes(first.num_bytes) + path.read_bytes()[first.num_bytes :])
    reader = FrameReader(manifest.folder)
    whole: dict[str, Pictures] = {}
    for video in (*manifest.videos[1:], first, *manifest.videos[1:]):
        if video == first:
            with pytest.raises(DataError, match=r"frames of a.mp4 are damaged"):
                reader.read(video, [2])
        else:
            found = reader.read(video, slice(None))
            np.testing.assert_array_equal(found, whole.setdefault(video.path, found))


def test_a_reader_shows_what_it_reads(raw: Manifest) -> None:
    assert repr(FrameReader(raw.folder)) == f"FrameReader({raw.folder}, raw, 180 frames)"


def test_opening_reads_no_frames(tmp_path: Path) -> None:
    """A set whose videos are never asked for may have lost them."""
    manifest = write_set(tmp_path / "set", CONTENT)
    (tmp_path / "set" / shard_name(0)).unlink()
    video: Video = manifest.videos[0]
    assert FrameReader(manifest.folder).read(video, []).shape == (0, 24, 36, 3)
