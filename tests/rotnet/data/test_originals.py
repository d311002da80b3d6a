"""Frames straight from video files are, bit for bit, those that a store of raw pictures holds."""

import gc
import logging
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from rotnet.data import originals
from rotnet.data.catalog import FolderKind
from rotnet.data.frames import FrameReader
from rotnet.data.framestore.index import UNTIMED, read_index
from rotnet.data.framestore.layout import INDEX_FILE
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.video import Video
from rotnet.errors import DataError
from tests.rotnet.data.test_decode import set_display_matrix

Frames = NDArray[np.uint8]
FOLDER = FolderKind(unlabelled=True)
COUNT = 40


@dataclass(frozen=True)
class Source:
    """How a video is made: its file's suffix and what its encoder is told."""

    suffix: str
    codec: str
    options: dict[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (48, 64)
    aspect: Fraction | None = None
    matrix: tuple[int, int, int, int] | None = None
    times: tuple[int, ...] = ()
    from_the_first: bool = False


X264 = {"x264-params": "keyint=10:bframes=3:scenecut=0"}
OPEN = {"x264-params": "keyint=10:bframes=3:scenecut=0:open-gop=1"}
MPEG4 = {"g": "8", "qscale": "4", "bf": "2"}
X265 = "log-level=none:pools=none:frame-threads=1:keyint=10:bframes=3"
SOURCES = {
    "MPEG-4 in AVI": Source(".avi", "mpeg4", {"g": "8"}),
    "MPEG-4 with B-frames in AVI": Source(".avi", "mpeg4", MPEG4),
    "MPEG-4 in MP4": Source(".mp4", "mpeg4", {"g": "8"}),
    "MPEG-4 with B-frames in MP4": Source(".mp4", "mpeg4", MPEG4),
    "MPEG-4 in a stream that is sought by guess": Source(".ts", "mpeg4", MPEG4),
    "MPEG-2": Source(".ts", "mpeg2video", MPEG4),
    "H.264": Source(".mp4", "libx264", X264),
    "H.264 with open GOPs": Source(".mkv", "libx264", OPEN),
    "H.264 with open GOPs in a stream": Source(".ts", "libx264", OPEN),
    "H.264 in AVI, without times": Source(".avi", "libx264", X264, from_the_first=True),
    "H.264 of one GOP": Source(".mp4", "libx264", {"g": "1000"}),
    "H.264 that is refreshed by columns": Source(
        ".mp4", "libx264", {"x264-params": "intra-refresh=1:keyint=10:bframes=0"}
    ),
    "H.264 of 10 bits": Source(".mp4", "libx264", X264, "yuv420p10le"),
    "grey H.264": Source(".mp4", "libx264", X264, "gray"),
    "H.264 of odd size": Source(".mp4", "libx264", X264, "yuv444p", (47, 63)),
    "interlaced H.264": Source(
        ".mp4",
        "libx264",
        {"flags": "+ildct+ilme", "x264-params": "tff=1:keyint=10"},
        from_the_first=True,
    ),
    "interlaced MPEG-2": Source(
        ".mpg", "mpeg2video", {"flags": "+ildct+ilme", "g": "8"}, from_the_first=True
    ),
    "anamorphic H.264": Source(".mp4", "libx264", X264, aspect=Fraction(16, 15)),
    "turned": Source(".mp4", "libx264", X264, matrix=(0, 1, -1, 0)),
    "turned and mirrored": Source(".mp4", "libx264", X264, matrix=(0, 1, 1, 0)),
    "of changing frame rate": Source(
        ".mkv", "libx264", X264, times=tuple(n + n // 3 for n in range(COUNT))
    ),
    "H.265": Source(".mp4", "libx265", {"x265-params": X265}),
    "H.265 with open GOPs and layers": Source(
        ".mkv", "libx265", {"x265-params": X265 + ":open-gop=1:temporal-layers=3:b-pyramid=1"}
    ),
    "VP9": Source(".webm", "libvpx-vp9", {"g": "10", "deadline": "realtime", "cpu-used": "8"}),
    "VP8 with hidden frames": Source(
        ".webm", "libvpx", {"g": "10", "auto-alt-ref": "1", "lag-in-frames": "8", "cpu-used": "8"}
    ),
    "AV1": Source(".mp4", "libsvtav1", {"g": "10", "preset": "12", "svtav1-params": "lp=1"}),
    "MJPEG": Source(".avi", "mjpeg", {}, "yuvj420p"),
    "GIF": Source(".gif", "gif", {}, "rgb8"),
    "FFV1": Source(".mkv", "ffv1", {"level": "3", "g": "1"}, "bgr0"),
    "FFV1 that remembers": Source(".mkv", "ffv1", {"level": "1", "g": "10"}),
}


def moving(size: tuple[int, int]) -> Frames:
    """A bright texture that moves right, with a patch that flickers: something for every codec."""
    rng = np.random.default_rng(0)
    texture = rng.integers(60, 230, (size[0] // 4 + 1, 64, 3), dtype=np.uint8)
    texture = texture.repeat(4, axis=0).repeat(4, axis=1)[: size[0]]
    frames = np.stack([texture[:, 2 * n : 2 * n + size[1]] for n in range(COUNT)])
    frames[:, 8:24, 8:24] = rng.integers(60, 230, (COUNT, 1, 1, 3))
    return frames


def write(folder: Path, source: Source) -> Path:
    """Encode a video; a GIF gets a name by which it is taken for one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"a{source.suffix}"
    with av.open(str(path), "w") as container:
        try:
            stream = container.add_stream(source.codec, rate=25, options=source.options)
        except av.codec.codec.UnknownCodecError:
            pytest.skip(f"this PyAV has no encoder {source.codec}")
        assert isinstance(stream, av.VideoStream)
        (stream.height, stream.width), stream.pix_fmt = source.size, source.pix_fmt
        stream.codec_context.thread_count = 1
        if source.aspect:
            stream.codec_context.sample_aspect_ratio = source.aspect
        for number, picture in enumerate(moving(source.size)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if source.times:
                frame.pts, frame.time_base = source.times[number], Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    if source.matrix:
        set_display_matrix(path, source.matrix)
    return path.rename(path.with_suffix(".avi")) if source.suffix == ".gif" else path


def both(folder: Path, source: Path) -> tuple[Manifest, Manifest]:
    """Prepare videos in both ways; the sets are the same."""
    raw, live = (
        prepare(
            source,
            folder / f"as-{storage}",
            FOLDER,
            storage=Storage(short_side=32, format=storage),
            name="s",
        ).manifest
        for storage in ("raw", "source")
    )
    assert raw.fingerprint == live.fingerprint
    return raw, live


def windows(frames: int, number: int, seed: int = 0) -> list[list[int]]:
    """Random windows with strides, now and then from the end to the begin."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        stride = int(rng.choice([1, 2, 3, 8]))
        length = int(rng.integers(1, (frames - 1) // stride + 2))
        start = int(rng.integers(0, frames - (length - 1) * stride))
        window = list(range(start, start + length * stride, stride))
        found.append(window[:: int(rng.choice([1, 1, 1, -1]))])
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_any_window_of_any_video_is_what_a_raw_store_holds(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "source", SOURCES[name])
    with caplog.at_level(logging.WARNING):
        raw, live = both(tmp_path, tmp_path / "source")
        (stored,), (video,) = raw.videos, live.videos
        assert (stored.status, stored.reason) == ("ok", "")
        assert stored.frames >= COUNT - 2
        whole = FrameReader(raw.folder).read(stored, slice(None))
        reader = FrameReader(live.folder)
        for number, window in enumerate(windows(stored.frames, 12)):
            if number % 3 == 0:
                reader = FrameReader(live.folder)
            assert np.array_equal(reader.read(video, window), whole[window])
    flags = read_index(live.folder / INDEX_FILE)["flags"]
    assert bool(flags[0] & UNTIMED) == SOURCES[name].from_the_first
    assert not caplog.records


@pytest.fixture
def few(tmp_path: Path, write_video: Callable[..., Path], textured: Callable[..., Frames]) -> Path:
    """Five short videos."""
    for number in range(5):
        drawing = textured(20, height=48, width=64, seed=number)
        write_video(f"source/{number}.mp4", drawing, options={"g": "5", "crf": "20"})
    return tmp_path / "source"


def contents(manifest: Manifest) -> dict[str, Frames]:
    reader = FrameReader(manifest.folder)
    return {video.path: reader.read(video, slice(None)) for video in manifest.videos}


def test_more_videos_than_may_stay_open_and_several_threads_at_once(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "HANDLES", 2)
    raw, live = both(tmp_path, few)
    expected, reader = contents(raw), FrameReader(live.folder)

    def read(job: tuple[Video, list[int]]) -> bool:
        video, window = job
        return np.array_equal(reader.read(video, window), expected[video.path][window])

    jobs = [(live.videos[n % 5], window) for n, window in enumerate(windows(20, 60))]
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, jobs))
        if before:
            assert len(list(Path("/proc/self/fd").iterdir())) <= before + 4 * (2 + 1)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc/self/fd")
def test_pictures_are_held_by_the_lot_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "LOT_BYTES", 2 * 12)
    pictures = [(number, np.full((2, 2, 3), number, np.uint8)) for number in range(5)]
    lots = list(originals._lots(pictures))
    assert [[number for number, _ in lot] for lot in lots] == [[0, 1], [2, 3], [4]]
    assert all((picture == number).all() for lot in lots for number, picture in lot)
    assert len(list(originals._lots(pictures[:4]))) == 2


def test_a_thread_that_ends_leaves_no_file_open(few: Path, tmp_path: Path) -> None:
    _, live = both(tmp_path, few)
    reader = FrameReader(live.folder)

    def kept_open() -> int:
        links = (link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
        return sum(str(link).startswith(str(few)) for link in links)

    def read() -> int:
        for video in live.videos:
            reader.read(video, [video.frames // 2])
        return kept_open()

    gc.collect()
    gc.disable()  # nor need it wait for cycles to be found
    try:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(read).result() == len(live.videos)
        assert kept_open() == 0
    finally:
        gc.enable()


def test_a_video_that_changed_or_vanished_is_named_in_one_line(few: Path, tmp_path: Path) -> None:
    _, live = both(tmp_path, few)
    shutil.copy(few / "1.mp4", few / "0.mp4")
    (few / "2.mp4").unlink()
    os.utime(few / "3.mp4", (1, 1))
    for name, what in (("0.mp4", "is damaged"), ("2.mp4", "cannot be read"), ("3.mp4", "")):
        video = next(each for each in live.videos if each.path == name)
        if not what:
            assert len(FrameReader(live.folder).read(video, slice(None))) == 20
            continue
        with pytest.raises(DataError, match=f"{name}.*{what}.*prepare the set again") as caught:
            FrameReader(live.folder).read(video, [3])
        assert "\n" not in str(caught.value)
    few.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="is gone, and this set's frames are still in its videos"):
        FrameReader(live.folder)
