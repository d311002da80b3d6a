"""Pictures on disk: PNG, written whole or not at all."""

from pathlib import Path

from PIL import Image, PngImagePlugin

from rotnet.errors import UserError


def checked_png(path: Path) -> Path:
    """Return a path that a picture can be written to, before any work is done for it.

    Raises:
        UserError: if it does not end with .png, is a folder, or its folder does not exist.
    """
    if path.suffix.lower() != ".png":
        raise UserError(f"{path}: a picture must be named *.png")
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a file")
    if not path.parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}; make it first")
    return path


def write_image(image: Image.Image, path: Path, text: PngImagePlugin.PngInfo | None = None) -> None:
    """Write a picture as PNG, with what it says of itself, under a temporary name, then rename."""
    aside = path.with_name(path.name + ".part")
    try:
        image.save(aside, format="PNG", pnginfo=text)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
