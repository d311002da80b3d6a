"""Pictures in rows and columns, with their names. Arrays in, an image out; no tensors, no files."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rotnet.pictures.lettering import fitted, font_of, line_height, text_width

CELL = 224  # cells are enlarged by a whole factor to about so many pixels
_GAP, _MARGIN = 4, 8  # pixels, between cells and around all
_FONT_SIZE = 14
_MAX_NAME = 240  # pixels; a longer name of a row is shortened
_PAPER, _TEXT = (255, 255, 255), (20, 20, 20)


def picture_grid(
    cells: NDArray[np.uint8],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    captions: Sequence[str] = (),
    title: str = "",
) -> Image.Image:
    """Return pictures in a grid: names of rows to the left, of columns above, a title on top.

    A text with no room loses some of its middle.

    Args:
        cells: (R, C, H, W, 3) RGB; enlarged by a whole factor where small, pixels as squares.
        rows: R names; all empty where rows need none.
        columns: C names, likewise.
        captions: R * C texts, row by row, each below its cell; none where cells need none.
        title: one line.

    Raises:
        ValueError: if there are not as many names as rows and columns, or captions as cells.
    """
    num_rows, num_columns = cells.shape[:2]
    for what, given, wanted in (
        ("row names", rows, num_rows),
        ("column names", columns, num_columns),
        ("captions", captions or range(num_rows * num_columns), num_rows * num_columns),
    ):
        if len(given) != wanted:
            raise ValueError(
                f"{num_rows} x {num_columns} cells need {wanted} {what}, got {len(given)}"
            )
    font = font_of(_FONT_SIZE)
    line = line_height(font)
    zoom = max(1, round(CELL / max(cells.shape[2:4])))
    height, width = cells.shape[2] * zoom, cells.shape[3] * zoom
    names = [fitted(name, font, _MAX_NAME) for name in rows]
    left = _MARGIN + (max(text_width(name, font) for name in names) + _MARGIN if any(names) else 0)
    top = _MARGIN + line * (bool(title) + any(columns))
    pitch = height + _GAP + (line if captions else 0)
    size = (
        left + num_columns * (width + _GAP) - _GAP + _MARGIN,
        top + num_rows * pitch - _GAP + _MARGIN,
    )
    image = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(image)

    def write(text: str, column: int, y: int) -> None:
        middle = left + column * (width + _GAP) + width // 2
        draw.text((middle, y), fitted(text, font, width), _TEXT, font, anchor="ma")

    draw.text((_MARGIN, _MARGIN), fitted(title, font, size[0] - 2 * _MARGIN), _TEXT, font)
    for column, name in enumerate(columns):
        write(name, column, top - line)
    for row in range(num_rows):
        y = top + row * pitch
        draw.text((_MARGIN, y + height // 2), names[row], _TEXT, font, anchor="lm")
        for column in range(num_columns):
            cell = cells[row, column].repeat(zoom, axis=0).repeat(zoom, axis=1)
            image.paste(Image.fromarray(cell), (left + column * (width + _GAP), y))
            if captions:
                write(captions[row * num_columns + column], column, y + height + 1)
    return image
