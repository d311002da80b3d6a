"""Interlaced input becomes progressive; everything else stays as it is."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from rotnet.data.decode import open_video
from rotnet.data.deinterlace import progressive

Frames = NDArray[np.uint8]
HEIGHT, WIDTH, COUNT = 48, 96, 12


def moment(time: float) -> Frames:
    """A bright bar that moves right by 8 pixels a frame, (H, W, 3)."""
    x = np.arange(WIDTH)
    bar = np.clip(8 - np.abs(x - 16 - 6 * time), 0, 1) * 150 + 50
    return np.broadcast_to(bar[None, :, None], (HEIGHT, WIDTH, 3)).astype(np.uint8)


def interlaced() -> Frames:
    """Frames whose even rows are of one moment and the odd ones of half a frame later."""
    frames = np.stack([moment(t) for t in range(COUNT)])
    frames[:, 1::2] = np.stack([moment(t + 0.5) for t in range(COUNT)])[:, 1::2]
    return frames


def comb(frames: Frames) -> float:
    """How much neighbouring rows differ: nothing in these pictures does by itself."""
    return float(np.abs(np.diff(frames.astype(float), axis=1)).mean())


def decode(path: Path) -> Frames:
    with open_video(path) as source:
        return np.stack([source.to_rgb(frame) for frame in source.frames()])


def test_a_comb_goes_and_no_frame_is_lost(write_video: Callable[..., Path]) -> None:
    options = {"crf": "4", "flags": "+ildct+ilme", "x264-params": "tff=1"}
    video = write_video("tv.mp4", interlaced(), options=options, pix_fmt="yuv422p")
    frames = decode(video)
    assert len(frames) == COUNT
    assert comb(interlaced()) > 8
    assert comb(frames) < 1.5
    centres = (frames[..., 0].mean(1) - 50).clip(20) @ np.arange(WIDTH)
    assert (np.diff(centres) > 0).all()  # time goes on from frame to frame


def test_a_progressive_video_is_left_alone_even_where_it_looks_combed(
    write_video: Callable[..., Path],
) -> None:
    video = write_video("film.mp4", interlaced(), options={"crf": "4"}, pix_fmt="yuv444p")
    assert comb(decode(video)) > 8


def made(count: int) -> Iterator[av.VideoFrame]:
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(moment(number), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        yield frame


def test_frames_that_are_not_marked_pass_untouched() -> None:
    frames = list(made(3))
    assert [id(frame) for frame in progressive(frames)] == [id(frame) for frame in frames]


def test_what_came_before_an_error_is_yielded_first(write_video: Callable[..., Path]) -> None:
    options = {"crf": "4", "flags": "+ildct+ilme", "x264-params": "tff=1"}
    video = write_video("tv.mp4", interlaced(), options=options, pix_fmt="yuv422p")
    seen = []

    def broken(container: av.container.InputContainer) -> Iterator[av.VideoFrame]:
        for number, frame in enumerate(container.decode(video=0)):
            if number == 7:
                raise LookupError("here it is cut")
            yield frame

    with av.open(str(video)) as container:
        frames = progressive(broken(container))
        seen += [next(frames) for _ in range(7)]
        with pytest.raises(LookupError, match="here it is cut"):
            next(frames)
    assert len(seen) == 7
