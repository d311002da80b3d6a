"""The pictures of a prepared set, by video and frame number. Reading only."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotnet.data.manifest import FRAMES_FILE, Video
from rotnet.errors import DataError


class RawFrames:
    """Reads frames from the frame file, which is mapped, not loaded. Safe to use from threads."""

    def __init__(self, folder: Path) -> None:
        """Map the frame file of the prepared set in `folder`.

        Raises:
            DataError: if there is none.
        """
        self._path = folder / FRAMES_FILE
        try:
            self._bytes: NDArray[np.uint8] = np.memmap(self._path, dtype=np.uint8, mode="r")
        except (
            FileNotFoundError,
            ValueError,
        ) as error:  # ValueError: an empty file cannot be mapped
            raise DataError(f"{self._path} holds no frames: prepare the set again") from error

    def __repr__(self) -> str:
        return f"RawFrames({self._path}, {self._bytes.size} bytes)"

    def read(self, video: Video, indices: Sequence[int] | slice) -> NDArray[np.uint8]:
        """Return frames of a video, in the order asked for.

        Args:
            video: a kept row of this set's manifest.
            indices: frame numbers in [0, video.frames), repeats allowed, or a slice of them.

        Returns:
            (len(indices), H, W, 3) uint8, RGB; a copy that the caller owns.

        Raises:
            IndexError: if a frame number is out of range.
            DataError: if the set holds no such video.
        """
        chosen = range(video.frames)[indices] if isinstance(indices, slice) else indices
        for index in chosen:
            if not 0 <= index < video.frames:
                raise IndexError(
                    f"{video.path}: frame {index} is out of range; there are [0, {video.frames})"
                )
        return self._all_of(video)[np.asarray(chosen, dtype=np.intp)]

    def _all_of(self, video: Video) -> NDArray[np.uint8]:
        end = video.offset + video.num_bytes
        if not video.kept or end > self._bytes.size:
            raise DataError(f"{self._path} holds no frames of {video.path} ({video.status})")
        shape = (video.frames, video.stored_height, video.stored_width, 3)
        return self._bytes[video.offset : end].reshape(shape)
