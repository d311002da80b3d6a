"""Attention to a few videos as one small picture that says what it holds. No tensors.

A PNG of squares: above the clips, below what networks attend to in them, a column a video. What
they are stands in it as text, so that the file is enough wherever it ends up.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from rotnet.errors import DataError
from rotnet.pictures.image_file import write_image

FILE = "attention.png"
LARGEST = 160  # pixels a side; larger squares are reduced
MOST = 16  # videos
FORMAT = 1
ROWS = ("clip", "network", "random")
_TEXT = "rotnet.attention"
_UNREADABLE = (  # what damage makes of reading
    *(OSError, SyntaxError, ValueError, KeyError, TypeError, AttributeError),
    Image.DecompressionBombError,
)
_PLACES = (
    *("upper left", "upper middle", "upper right"),
    *("left", "middle", "right"),
    *("lower left", "lower middle", "lower right"),
)

Row = Literal["clip", "network", "random"]


@dataclass(frozen=True, eq=False)
class Strip:
    """What a network attends to in one frame of a few videos.

    Args:
        videos: V paths.
        role: of the videos: "test" or "pretrain".
        modality: of the network.
        stage: of the network, whose activation is shown.
        frame: of the clip, counted from 1.
        frames: of the clip.
        pictures: row -> (V, H, H, 3) uint8 RGB: the frames, and activation laid over them.
        places: row -> for each video the ninth of the frame that is most active, in words; "" where
            all of it is equally so.

    Raises:
        ValueError: if the rows are not of one shape, or do not fit the videos.
    """

    videos: tuple[str, ...]
    role: str
    modality: str
    stage: str
    frame: int
    frames: int
    pictures: Mapping[Row, NDArray[np.uint8]]
    places: Mapping[Row, tuple[str, ...]]

    def __post_init__(self) -> None:
        shapes = {rows.shape for rows in self.pictures.values()}
        side = next(iter(shapes))[1] if shapes else 0
        if shapes != {(len(self.videos), side, side, 3)} or not 0 < len(self.videos) <= MOST:
            raise ValueError(f"{len(self.videos)} videos need (V, H, H, 3) in all rows: {shapes}")
        if not {"clip", "network"} <= self.pictures.keys() <= {*ROWS}:
            raise ValueError(
                f"rows must be among {', '.join(ROWS)}; got {', '.join(self.pictures)}"
            )
        told = {row: len(places) for row, places in self.places.items()}
        if told != dict.fromkeys(set(self.pictures) - {"clip"}, len(self.videos)):
            raise ValueError(f"every map needs its place in words, got {told}")

    def __repr__(self) -> str:
        """Shapes, not data."""
        shape = self.pictures["clip"].shape
        return f"Strip({self.modality}, {self.stage}, {', '.join(self.pictures)}, {shape})"

    def save(self, path: Path) -> None:
        """Write it as PNG, whole or not at all."""
        rows = [np.concatenate([*self.pictures[row]], axis=1) for row in self._rows]
        told = {
            "format": FORMAT,
            "rows": self._rows,
            "videos": self.videos,
            "role": self.role,
            "modality": self.modality,
            "stage": self.stage,
            "frame": self.frame,
            "frames": self.frames,
            "places": dict(self.places),
        }
        text = PngImagePlugin.PngInfo()
        text.add_itxt(_TEXT, json.dumps(told, ensure_ascii=False), zip=True)
        write_image(Image.fromarray(np.concatenate(rows, axis=0)), path, text)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return what `save` wrote.

        Raises:
            DataError: if it is another picture, damaged, or of a newer format.
        """
        try:
            with Image.open(path, formats=("PNG",)) as image:
                told = json.loads(getattr(image, "text", {}).get(_TEXT, "null"))
                if not isinstance(told, dict):
                    raise ValueError("it does not say what it shows")
                if told["format"] != FORMAT:
                    raise ValueError(f"its format is {told['format']}, known here is {FORMAT}")
                names, videos = list(told["rows"]), tuple(map(str, told["videos"]))
                side = image.width // max(len(videos), 1)
                if image.size != (side * len(videos), side * len(names)) or side > LARGEST:
                    raise ValueError(f"{image.size} pixels are not {len(names)} rows of squares")
                pixels = np.asarray(image.convert("RGB"))
            cells = pixels.reshape(len(names), side, len(videos), side, 3).swapaxes(1, 2)
            return cls(
                videos=videos,
                role=str(told["role"]),
                modality=str(told["modality"]),
                stage=str(told["stage"]),
                frame=int(told["frame"]),
                frames=int(told["frames"]),
                pictures=dict(zip(names, cells, strict=True)),
                places={row: tuple(map(str, each)) for row, each in told["places"].items()},
            )
        except _UNREADABLE as error:
            raise DataError(f"{path}: no attention maps that can be read here: {error}") from error

    @property
    def _rows(self) -> list[Row]:
        return [row for row in ROWS if row in self.pictures]  # type: ignore[misc]


def place_of(heat: NDArray[np.floating]) -> str:
    """Return in words which ninth of a frame's map (H, W) is the most active in the mean.

    "" where none is: all are equally so, or the frame is too small to be parted.
    """
    if min(heat.shape) < 3 or heat.max() == heat.min():
        return ""
    means = [
        float(part.mean())
        for band in np.array_split(heat, 3, axis=0)
        for part in np.array_split(band, 3, axis=1)
    ]
    return _PLACES[int(np.argmax(means))]


def reduced(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures (V, H, H, 3) with a side of LARGEST pixels at most."""
    if pictures.shape[1] <= LARGEST:
        return pictures
    size, way = (LARGEST, LARGEST), Image.Resampling.BOX
    return np.stack([np.asarray(Image.fromarray(one).resize(size, way)) for one in pictures])
