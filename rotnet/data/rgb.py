"""Decoded frames as RGB, whatever their pixel format, on the core that decoded them."""

from typing import Any

import av
from av.video.reformatter import VideoReformatter

# From version 17 on PyAV cuts a picture into a slice for every core of the machine. Handing them
# out costs several times what it takes to convert a small picture, and other clips want the cores.
_ONE_CORE: dict[str, Any] = {"threads": 1} if int(av.__version__.partition(".")[0]) >= 17 else {}


class RgbConverter:
    """Converts frames, best all those of one video: it sets itself up anew when they change.

    Not safe to use from several threads.
    """

    def __init__(self) -> None:
        """Set nothing up yet."""
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a frame of the same size in rgb24.

        Raises:
            FFmpegError, ValueError: if its format has no way to RGB.
            MemoryError: if it does not fit into memory.
        """
        return self._reformatter.reformat(frame, format="rgb24", **_ONE_CORE)
