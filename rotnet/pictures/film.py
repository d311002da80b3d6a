"""Frames become an H.264 file that any player shows."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_film(path: Path, frames: Iterable[NDArray[np.uint8]], fps: float) -> int:
    """Write frames under a temporary name, then rename; return how many there were.

    H.264 with 4:2:0 colour needs even sides: a frame with an odd one repeats its last row or
    column.

    Args:
        path: of the file, .mp4.
        frames: (H, W, 3) RGB each, all of one size, at least one.
        fps: frames per second, above 0.

    Raises:
        ValueError: if there is no frame, or fps is not above 0.
    """
    if not fps > 0:
        raise ValueError(f"fps must be above 0, got {fps}")
    waiting = iter(frames)
    first = next(waiting, None)
    if first is None:
        raise ValueError(f"{path}: a film needs at least one frame")
    aside = path.with_name(path.name + ".part")
    count = 0
    try:
        with av.open(
            str(aside), "w", format="mp4", options={"movflags": "+faststart"}
        ) as container:
            stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
            stream.height, stream.width = (side + side % 2 for side in first.shape[:2])
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": "16"}
            for frame in chain([first], waiting):
                container.mux(
                    stream.encode(av.VideoFrame.from_ndarray(_even(frame), format="rgb24"))
                )
                count += 1
            container.mux(stream.encode(None))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return count


def _even(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
