"""Where every frame of a store is: a row for each, of all its videos, in one array."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotnet.errors import DataError

PACKET = np.dtype([("size", "<u4"), ("crc", "<u4")])  # a stored frame
FRAME = np.dtype([("time", "<i8"), ("flags", "u1")])  # a frame that stays in its video
KEY = 1  # decoding can begin there
MIRRORED = 2  # of a video's first frame: its pictures are to be flipped after they are turned
UNTIMED = 4  # likewise: frames cannot be told by their times, and decoding begins at the first
Index = NDArray[np.void]  # of one of them


def write_index(path: Path, pieces: Sequence[Index]) -> None:
    """Write the packets of all videos, at least one, as one array."""
    room = io.BytesIO()  # numpy, writing to a file itself, would hide why it could not
    np.save(room, np.concatenate(pieces), allow_pickle=False)
    path.write_bytes(room.getbuffer())


def read_index(path: Path) -> Index:
    """Map the packets of all videos.

    Raises:
        DataError: if the file is no such array.
    """
    try:
        index = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing: prepare the set again") from error
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read ({error}): prepare the set again") from error
    if index.dtype not in (PACKET, FRAME) or index.ndim != 1:
        raise DataError(f"{path} is not an index of frames: prepare the set again")
    return index
