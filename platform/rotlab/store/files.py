"""Files that are whole or not there: written aside, flushed to disk, then put in place.

In a store at a URL (`rotlab.store.replica`) what is created and read here is the bucket's; the
file is a copy of it.
"""

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rotlab.store.replica import Far, far_of, told
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
    far = far_of(path)
    if far is not None:
        data = json.dumps(values, indent=1, sort_keys=True, allow_nan=False).encode()
        far.bucket.create(far.name, data)
        write_copy(path, data)
        return
    create_here(path, values, aside)


def create_here(path: Path, values: Mapping[str, Any], aside: str) -> None:
    """Create a file of this node's alone, as `create_json` does one of a folder store."""
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


def write_copy(path: Path, data: bytes) -> None:
    """Write what a bucket holds to a file of this node, whole, whoever else does the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}.tmp")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_text(path: Path) -> str:
    """Return a file's text; in a store at a URL, the bucket's.

    Raises:
        FileNotFoundError: if it is not there.
    """
    far = far_of(path)
    return path.read_text(encoding="utf-8") if far is None else _read_far(far, path)


def exists(path: Path) -> bool:
    """Say whether there is such a file; in a store at a URL, such an object."""
    far = far_of(path)
    return path.exists() if far is None else far.bucket.read(far.name) is not None


def read_copy(path: Path) -> str:
    """Return the text of a file of this node, whatever it is a copy of.

    Raises:
        FileNotFoundError: if it is not there.
    """
    return path.read_text(encoding="utf-8")


def move(path: Path, target: Path) -> None:
    """Move a file to a name that nobody has; in a store at a URL, the object first."""
    far, there = far_of(path), far_of(target)
    if far is not None and there is not None:
        data = _read_far(far, path).encode()
        there.bucket.create(there.name, data)
        far.bucket.remove(far.name)
        write_copy(target, data)
        path.unlink(missing_ok=True)
    else:
        path.rename(target)


def remove(path: Path) -> None:
    """Remove a file, if it is there; in a store at a URL, from the bucket first."""
    far = far_of(path)
    if far is not None:
        far.bucket.remove(far.name)
    path.unlink(missing_ok=True)


def read_json(
    path: Path, what: str, read: Callable[[Path], str] = read_text
) -> dict[str, Any] | None:
    """Return the values in a file; None where it is not there.

    Args:
        path: of the file.
        what: is made again once the file is removed.
        read: returns its text; `read_copy` where that was just brought here.

    Raises:
        StoreError: if it cannot be read, or holds something else.
    """
    try:
        values = json.loads(read(path))
        if not isinstance(values, dict):
            raise ValueError(f"a {type(values).__name__}, not an object")
    except FileNotFoundError:
        return None
    except OSError as error:  # of the disk or the network, not of what is there
        raise StoreError(
            f"{told(path)}: cannot be read: {error.strerror or error}; try again"
        ) from error
    except ValueError as error:
        raise StoreError(
            f"{told(path)}: cannot be read ({error}); remove it to have the {what} made again"
        ) from error
    return values


def _read_far(far: Far, path: Path) -> str:
    held = far.bucket.read(far.name)
    if held is None:
        path.unlink(missing_ok=True)
        raise FileNotFoundError(errno.ENOENT, "no such object", str(far))
    return held.data.decode()


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
