"""A file that a command writes where its user says: whole, or not at all."""

import os
from pathlib import Path

from rotnet.errors import UserError


def check_writable(path: Path) -> None:
    """Return if a file can be expected to be written there.

    Raises:
        UserError: if it is a folder, or its folder does not exist.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file with -o")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UserError(f"{folder} does not exist: make it, or name another with -o")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there; one that is there is replaced.

    Raises:
        UserError: if it cannot be written.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)
