"""A set of four videos, on this disk and in a bucket."""

from pathlib import Path

import numpy as np

from rotnet.data.frames import FrameReader
from rotnet.data.framestore.formats import Format
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.data.video import Video
from tests.rotnet.data.framestore.samples import Pictures, smooth, write_set
from tests.rotnet.data.framestore.storage import Storage

NAMES = ("a.mp4", "b.mp4", "c.mp4", "d.mp4")
SHARD = 10 * 16 * 20 * 3  # bytes of a raw one


def content(seed: int = 0) -> dict[str, Pictures]:
    return {name: smooth(10, 16, 20, seed=seed + n) for n, name in enumerate(NAMES)}


def uploaded(
    bucket: Storage, tmp_path: Path, storage: Format = "raw", *, name: str = "set", seed: int = 0
) -> tuple[Manifest, Manifest]:
    """Return a set on this disk, and the same one in the bucket."""
    here = write_set(tmp_path / name, content(seed), storage)
    return here, Manifest.load(local_folder(bucket.put(tmp_path / name, name)))


def same(local: Manifest, reader: FrameReader, videos: tuple[Video, ...] | None = None) -> None:
    reference = FrameReader(local.folder)
    for video in videos or local.videos:
        for indices in ([9, 0, 3], range(10)):
            expected = reference.read(video, indices)
            np.testing.assert_array_equal(reader.read(video, indices), expected)
