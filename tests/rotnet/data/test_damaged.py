"""Files damaged at random: each is read or named, and what is read is the same in every format."""

from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest

from rotnet.data.catalog import FolderKind
from rotnet.data.frames import FrameReader
from rotnet.data.hands import processes
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage

NUMBER = 200
WHOLE = {
    ".avi": ("mpeg4", "yuv420p", {"g": "6", "bf": "2"}),
    ".mp4": ("libx264", "yuv420p", {"x264-params": "keyint=6:bframes=2:open-gop=1"}),
    ".mkv": ("ffv1", "yuv420p", {"level": "1", "g": "6"}),
    ".mov": ("mjpeg", "yuvj420p", {}),
    ".ts": ("mpeg2video", "yuv420p", {"g": "6", "bf": "2"}),
    ".webm": ("libvpx", "yuv420p", {"g": "6", "cpu-used": "8"}),
}


def whole(path: Path) -> bytes:
    """A tiny video of 24 frames, in a codec for each suffix."""
    codec, pix_fmt, options = WHOLE[path.suffix]
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width, stream.pix_fmt = 32, 48, pix_fmt
        stream.codec_context.thread_count = 1
        for _ in range(24):
            blocks = rng.integers(60, 230, (4, 6, 3), dtype=np.uint8)
            picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


def damaged(content: bytes, how: str, rng: np.random.Generator) -> bytes:
    """Return what is left of a file."""
    found, place = bytearray(content), int(rng.integers(len(content)))
    if how == "cut off":
        return content[:place]
    if how == "header only":
        return content[: int(rng.choice([1, 8, 64, 700]))]
    if how == "zeros":
        found[place : place + 300] = bytes(len(found[place : place + 300]))
    if how == "noise":
        found[place : place + 60] = rng.bytes(len(found[place : place + 60]))
    if how == "flipped":
        for each in rng.integers(len(content), size=int(rng.choice([1, 5, 40]))):
            found[each] ^= 1 << int(rng.integers(8))
    if how == "twice":
        found[place:place] = content[max(0, place - 500) : place]
    return bytes(found)


def test_damaged_files_are_read_alike_or_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    contents = {suffix: whole(tmp_path / f"whole{suffix}") for suffix in WHOLE}
    kinds = ("cut off", "header only", "zeros", "noise", "flipped", "twice", "misnamed")
    rng = np.random.default_rng(0)
    capfd.readouterr()
    for number in range(NUMBER):
        suffix, how = list(WHOLE)[number % len(WHOLE)], kinds[number % len(kinds)]
        content = damaged(contents[suffix], how, rng)
        name = ".mpg" if how == "misnamed" else suffix
        (source / f"{number:03d}{name}").write_bytes(content)
    raw, live = (
        prepare(
            source,
            tmp_path / f"as-{storage}",
            FolderKind(unlabelled=True),
            storage=Storage(short_side=32, format=storage),
            name="s",
            hands=processes(2),
        ).manifest
        for storage in ("raw", "source")
    )
    assert raw.fingerprint == live.fingerprint
    assert len(raw.videos) == NUMBER
    statuses = Counter(video.status for video in raw.videos)
    assert min(statuses["ok"], statuses["part"], statuses["left_out"]) > 10
    stored, decoded = FrameReader(raw.folder), FrameReader(live.folder)
    for ours, theirs in zip(raw.videos, live.videos, strict=True):
        assert bool(ours.reason) == (ours.status != "ok")
        assert "\n" not in ours.reason
        assert "died" not in ours.reason
        if not ours.kept:
            continue
        pictures = stored.read(ours, slice(None))
        last = ours.frames - 1
        for window in ([last], list(range(0, last, 5)), list(range(last // 2, last + 1))):
            assert np.array_equal(decoded.read(theirs, window), pictures[window]), ours.path
    assert capfd.readouterr() == ("", "")
