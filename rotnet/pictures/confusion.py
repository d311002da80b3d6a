"""A confusion matrix, drawn. Counts in, an image out; no files."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rotnet.pictures.colours import INK, coloured
from rotnet.pictures.lettering import Font, fitted, font_of, line_height, text_width

_NUMBERED = 20  # classes; with more, a number would not fit into its cell
_MAX_NAME = 220  # pixels
_GAP, _KEY_WIDTH = 8, 200
_PAPER, _TEXT, _LINE = (255, 255, 255), (20, 20, 20), (222, 222, 222)


def confusion_picture(counts: NDArray[np.int64], classes: Sequence[str]) -> Image.Image:
    """Return a confusion matrix, each row as shares of its class's videos.

    Names stand to the left, with the number of videos, and upright above. Up to 20 classes, every
    cell that is not 0 shows its share in per cent. A class without videos has an empty row.

    Args:
        counts: (K, K) videos, row the true class, column the one it was taken for.
        classes: K names.

    Raises:
        ValueError: if there are not as many names as rows and columns.
    """
    num = len(classes)
    if counts.shape != (num, num):
        raise ValueError(f"{num} classes need counts ({num}, {num}), got {counts.shape}")
    cell = 46 if num <= 10 else 34 if num <= _NUMBERED else 14
    font = font_of(14 if num <= _NUMBERED else 11)
    line = line_height(font)
    totals = counts.sum(axis=1)
    above = [fitted(name, font, _MAX_NAME) for name in classes]
    beside = [f"{name}  {total}" for name, total in zip(above, totals, strict=True)]
    title = f"{np.trace(counts)} of {counts.sum()} videos right; row: true class, column: taken for"
    left = _GAP + max(text_width(text, font) for text in beside) + _GAP
    top = _GAP + line + max(text_width(text, font) for text in above) + _GAP
    width = max(left + num * cell, _GAP + text_width(title, font), left + _KEY_WIDTH) + _GAP
    height = top + num * cell + _GAP + 2 * line + _GAP
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((_GAP, _GAP), title, _TEXT, font)
    shares = counts / np.maximum(totals, 1)[:, None]
    cells = coloured(shares, INK).repeat(cell, axis=0).repeat(cell, axis=1)
    image.paste(Image.fromarray(cells), (left, top))
    _rule(draw, (left, top), num, cell)
    for index in range(num):
        middle = index * cell + cell // 2
        x = left - _GAP - text_width(beside[index], font)
        draw.text((x, top + middle), beside[index], _TEXT, font, anchor="lm")
        _upright(image, above[index], (left + middle, top - _GAP // 2), font)
    if num <= _NUMBERED:
        _numbers(draw, shares, (left, top), cell, font)
    _key(image, draw, (left, top + num * cell + _GAP), font)
    return image


def _rule(draw: ImageDraw.ImageDraw, corner: tuple[int, int], num: int, cell: int) -> None:
    """Draw lines between the cells, and around them."""
    left, top = corner
    for index in range(num + 1):
        at = index * cell
        draw.line([(left + at, top), (left + at, top + num * cell)], _LINE)
        draw.line([(left, top + at), (left + num * cell, top + at)], _LINE)


def _upright(image: Image.Image, text: str, foot: tuple[int, int], font: Font) -> None:
    """Draw a text that reads upwards from its foot (middle of the line, lower end)."""
    size = (max(1, text_width(text, font)), line_height(font))
    strip = Image.new("RGB", size, _PAPER)
    ImageDraw.Draw(strip).text((0, size[1] // 2), text, _TEXT, font, anchor="lm")
    turned = strip.transpose(Image.Transpose.ROTATE_90)
    image.paste(turned, (foot[0] - turned.width // 2, foot[1] - turned.height))


def _numbers(
    draw: ImageDraw.ImageDraw,
    shares: NDArray[np.float64],
    corner: tuple[int, int],
    cell: int,
    font: Font,
) -> None:
    """Write the share of every cell that is not 0, in per cent; white where it is dark."""
    for row, column in zip(*np.nonzero(shares), strict=True):
        share = shares[row, column]
        middle = (corner[0] + column * cell + cell // 2, corner[1] + row * cell + cell // 2)
        draw.text(middle, f"{100 * share:.0f}", _PAPER if share > 0.5 else _TEXT, font, anchor="mm")


def _key(
    image: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], font: Font
) -> None:
    """Draw what the colours mean, 0 to 100 % of a row."""
    left, top = corner
    line = line_height(font)
    colours = coloured(np.linspace(0.0, 1.0, _KEY_WIDTH)[None].repeat(line - 4, axis=0), INK)
    image.paste(Image.fromarray(colours), (left, top))
    draw.rectangle([left, top, left + _KEY_WIDTH - 1, top + line - 5], outline=_LINE)
    draw.text((left, top + line), "0 %", _TEXT, font)
    draw.text((left + _KEY_WIDTH, top + line), "100 % of its row", _TEXT, font, anchor="ra")
