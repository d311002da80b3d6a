"""Files that are whole or not there: written aside, flushed to disk, then put in place."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotnet.errors import UserError

ASIDE = (".tmp", ".part")


class StoreError(UserError):
    """The store cannot be used, or something in it cannot be read."""


def is_whole(path: Path) -> bool:
    """Say whether a file's name tells that it was put in place, not left half written.

    By custom a file in the making starts with "." or ends in ".tmp" or ".part".
    """
    return not path.name.startswith(".") and path.suffix not in ASIDE


def create_json(path: Path, values: Mapping[str, Any], aside: str) -> None:
    """Create `path`, whole and on disk, if no file has that name yet.

    Args:
        path: where the values go.
        values: to be written as JSON.
        aside: a name that nobody else uses, in the same folder, while the file is in the making.

    Raises:
        FileExistsError: if another came first; `path` is then as that one wrote it.
    """
    making = path.parent / aside
    try:
        with making.open("w", encoding="utf-8") as file:
            json.dump(values, file, indent=1, sort_keys=True, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(making)
        flush_folder(path.parent)
    finally:
        making.unlink(missing_ok=True)


def read_json(path: Path, what: str) -> dict[str, Any] | None:
    """Return the values in a file; None where it is not there.

    Args:
        path: of the file.
        what: is made again once the file is removed.

    Raises:
        StoreError: if it cannot be read, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError(f"a {type(values).__name__}, not an object")
    except FileNotFoundError:
        return None
    except OSError as error:  # of the disk or the network, not of what is there
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}; try again") from error
    except ValueError as error:
        raise StoreError(
            f"{path}: cannot be read ({error}); remove it to have the {what} made again"
        ) from error
    return values


def flush_folder(folder: Path) -> None:
    """Bring a folder's list of names to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def seal(path: Path) -> str:
    """Bring a file's content to disk and return its SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()
