"""Frame stores made from arrays, for tests that need no video file."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotnet.data.framestore.formats import Format, codec_of
from rotnet.data.framestore.packing import checksum, num_bytes_of, packets_of
from rotnet.data.video import Video
from rotnet.data.workplace import Packer, Stored, Workplace


def write_store(
    folder: Path,
    videos: Sequence[tuple[Video, Iterable[NDArray[np.uint8]]]],
    storage: Format = "raw",
) -> tuple[Video, ...]:
    """Pack pictures into `folder`, and return the videos' rows with their places."""
    (folder / "work").mkdir(parents=True, exist_ok=True)
    place = Workplace(folder / "work", {})
    packer = Packer(place, has_frames=True)
    for video, pictures in videos:
        part = place.part(video.path)
        packets = list(codec_of(storage).encode(pictures))
        part.packets.write_bytes(b"".join(packets))
        index = packets_of([(len(packet), checksum(packet)) for packet in packets])
        packer.add(Stored(replace(video, num_bytes=num_bytes_of(index)), index), part)
    packer.finish(storage, None)
    for path in place.set.iterdir():
        path.rename(folder / path.name)
    shutil.rmtree(place.folder)
    return tuple(packer.rows)
