"""Text in pictures: Pillow's own font, how wide a line is, how to make it fit."""

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def font_of(size: int) -> Font:
    """Return Pillow's own font, which needs no file, of a size in pixels."""
    return ImageFont.load_default(size)


def text_width(text: str, font: Font) -> int:
    """Return the width of a line of text in pixels."""
    return int(font.getlength(text)) + 1


def line_height(font: Font) -> int:
    """Return the height of a line in pixels, with room below it."""
    return int(font.getbbox("Ág")[3]) + 4


def fitted(text: str, font: Font, width: int) -> str:
    """Return a text as it is, or without so much of its middle that it is at most so wide."""
    shown = text
    for kept in range(len(text) - 1, -1, -1):
        if text_width(shown, font) <= width:
            return shown
        shown = text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]
    return shown if text_width(shown, font) <= width else ""
