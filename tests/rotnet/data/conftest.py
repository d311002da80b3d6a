"""Small video files whose content is known by construction."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


@pytest.fixture
def textured() -> Callable[..., Frames]:
    """Make frames of bright blocks that change all over from frame to frame."""

    def make(num_frames: int = 20, height: int = 64, width: int = 80, seed: int = 0) -> Frames:
        rng = np.random.default_rng(seed)
        shape = (num_frames, -(-height // 8), -(-width // 8), 3)
        blocks = rng.integers(60, 230, shape, dtype=np.uint8)
        return blocks.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]

    return make


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Encode frames (T, H, W, 3) into a file below tmp_path."""

    def write(
        name: str,
        frames: Frames,
        *,
        codec: str = "libx264",
        pix_fmt: str = "yuv444p",
        options: dict[str, str] | None = None,
        pixel_aspect: Fraction | None = None,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25, options=options or {"crf": "10"})
            assert isinstance(stream, av.VideoStream)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = pix_fmt
            stream.codec_context.thread_count = 1  # equal frames give equal bytes
            if pixel_aspect:
                stream.codec_context.sample_aspect_ratio = pixel_aspect
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def videos(
    tmp_path: Path, write_video: Callable[..., Path], textured: Callable[..., Frames]
) -> Path:
    """Six good videos in two classes."""
    for number in range(6):
        name = f"source/{'run' if number % 2 else 'walk'}/{number}.avi"
        write_video(
            name,
            textured(20 + number, seed=number),
            codec="mpeg4",
            pix_fmt="yuv420p",
            options={"q": "2"},
        )
    return tmp_path / "source"
