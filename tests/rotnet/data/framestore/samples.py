"""Pictures with smooth content that moves, and prepared sets of them, without video files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotnet.data.framestore.formats import Format
from rotnet.data.header import Header
from rotnet.data.manifest import Manifest, fingerprint, write_files
from rotnet.data.video import Area, Video
from tests.rotnet.data.stores import write_store

Pictures = NDArray[np.uint8]


def smooth(num_frames: int, height: int, width: int, seed: int = 0) -> Pictures:
    """Return (T, H, W, 3): a few waves in each colour, which wander and differ between seeds."""
    rng = np.random.default_rng(seed)
    t, y, x = np.mgrid[:num_frames, :height, :width]
    base, colours = _waves(rng, t, y, x, 0.12), [_waves(rng, t, y, x, 0.05) for _ in range(3)]
    whole = 128 + 50 * base[..., None] + 20 * np.stack(colours, axis=-1)
    return np.clip(np.rint(whole), 0, 255).astype(np.uint8)


def _waves(
    rng: np.random.Generator,
    t: NDArray[np.int64],
    y: NDArray[np.int64],
    x: NDArray[np.int64],
    rate: float,
) -> NDArray[np.float64]:
    return np.sum(
        [
            np.sin(rate * (rng.normal() * x + rng.normal() * y) + rng.normal() * t / 5 + phase)
            for phase in rng.uniform(0, 6, 3)
        ],
        axis=0,
    )


def row_of(name: str, pictures: Pictures) -> Video:
    """Return the manifest's row of a video with these pictures, without its place."""
    frames, height, width = pictures.shape[:3]
    return Video(
        path=name,
        label="run",
        group=name,
        splits=("train",),
        frames=frames,
        fps=25.0,
        width=width,
        height=height,
        rotation=0,
        area=Area(0, 0, width, height),
        sha256="ab" * 32,
        status="ok",
        reason="",
        stored_width=width,
        stored_height=height,
    )


def write_set(
    folder: Path, contents: Mapping[str, Pictures], storage: Format = "raw", name: str = "some"
) -> Manifest:
    """Write a prepared set whose videos have these pictures."""
    rows = [(row_of(path, pictures), pictures) for path, pictures in contents.items()]
    videos = write_store(folder, rows, storage)
    settings = {"format": storage}
    identity = fingerprint(videos, settings)
    header = Header(name, "folder", ("run",), 1, identity, settings, {"ok": len(videos)})
    write_files(folder, header, videos)
    return Manifest.load(folder)


def flip_a_byte(path: Path, place: int) -> None:
    """Change one byte of a file where it is."""
    with path.open("r+b") as file:
        file.seek(place)
        (value,) = file.read(1)
        file.seek(place)
        file.write(bytes([value ^ 0x40]))
