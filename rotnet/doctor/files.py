"""Noise as video files, prepared like any other: what a codec and the reductions tell."""

from pathlib import Path

from rotnet.config import ClipConfig
from rotnet.data.catalog import FolderKind
from rotnet.data.framestore.formats import Format
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import encode
from rotnet.doctor.noise import isotropic_clips
from rotnet.views.chance import generator

ASPECT = 4 / 3
SPARE = 8  # frames beyond a window, so that clips begin at different ones
REDUCED = (2.5, 1.5)  # short side of the file and of the stored picture, by that of the clip


def noise_set(
    folder: Path,
    clip: ClipConfig,
    *,
    videos: int,
    reduced: bool,
    storage: Format,
    seed: int,
) -> Manifest:
    """Write files of isotropic noise as H.264 4:2:0, and prepare them in `folder`.

    Args:
        folder: new or empty.
        clip: what will be read of them.
        videos: how many files.
        reduced: whether preparing and loading both make the picture smaller, or neither does.
        storage: format in which frames are stored.
        seed: equal seeds give equal files.
    """
    of_file, of_set = REDUCED if reduced else (1.0, 1.0)
    height = _even(of_file * clip.resize)
    width = _even(ASPECT * height)
    source = folder / "videos"
    source.mkdir(parents=True)
    chance = generator(seed, "doctor, files", int(reduced))
    for number in range(videos):
        frames = isotropic_clips(1, clip.window + SPARE, height, width, chance)[0]
        encode(frames.numpy(), source / f"{number:05d}.mp4")
    stored = Storage(short_side=_even(of_set * clip.resize), format=storage)
    return prepare(source, folder / "set", FolderKind(unlabelled=True), storage=stored).manifest


def _even(length: float) -> int:
    """Return a length that chroma of half the size divides."""
    return 2 * -(-round(length) // 2)
