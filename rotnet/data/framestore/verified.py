"""Files are what they were written as: checked once on each node, and remembered.

A file is known by its place, size, times of change and inode; a file that was checked and has not
changed by these is not read again, by whichever process. What is remembered lies in the node's
cache folder, never beside the file, which other nodes may see too.
"""

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotnet.data.framestore.layout import StoredFile
from rotnet.errors import DataError

CACHE_VARIABLE = "ROTNET_CACHE"
_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return this node's cache: $ROTNET_CACHE, else rotnet in $XDG_CACHE_HOME or ~/.cache."""
    own = os.environ.get(CACHE_VARIABLE)
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rotnet"


class DamagedFileError(DataError):
    """A file is gone, or is not what was written."""


def check_stored(path: Path, expected: StoredFile) -> None:
    """Return if a file of a store is what was written; see `check_file`."""
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if found.st_size != expected.num_bytes:
        raise DamagedFileError(
            f"{path} has {found.st_size} bytes where {expected.num_bytes} were written: {_WAY_OUT}"
        )
    check_file(path, expected.sha256)


def check_file(path: Path, sha256: str) -> None:
    """Return if a file is what it should be; read it whole unless that is remembered.

    Raises:
        DataError: if it cannot be read, or has other bytes.
    """
    try:
        found = path.stat()
        times = [found.st_mtime_ns, found.st_ctime_ns]  # the first can be put back, as rsync does
        state = [found.st_size, *times, found.st_ino, sha256]
        with _memory(path) as memory:
            if memory is not None and _recalled(memory) == state:
                return
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != sha256:
                raise DamagedFileError(
                    f"{path} is damaged (its checksum is not what was written): {_WAY_OUT}"
                )
            if memory is not None:
                _remember(memory, state)
    except OSError as error:
        raise _unreadable(path, error) from error


_WAY_OUT = "prepare the set again, with the same command"


def _unreadable(path: Path, error: OSError) -> DataError:
    """Return what is wrong: preparing anew mends a file that is gone, not a lack of rights."""
    if isinstance(error, FileNotFoundError):
        return DamagedFileError(f"{path} cannot be read ({error.strerror}): {_WAY_OUT}")
    return DataError(f"{path} cannot be read ({error.strerror})")


@contextmanager
def _memory(path: Path) -> Iterator[int | None]:
    """Give the open, locked note on a file: one process checks it, the others wait for that.

    None where the node has no place for notes: then every process checks for itself.
    """
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    folder = cache_folder() / "verified"
    note = None
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            note = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(note, fcntl.LOCK_EX)  # not every file system has locks
        except OSError as error:
            _log.info("checks of %s are not remembered: %s", path, error)
            yield None
        else:
            yield note
    finally:
        if note is not None:
            os.close(note)


def _recalled(note: int) -> object:
    try:
        return json.loads(os.pread(note, 4096, 0))
    except ValueError:
        return None


def _remember(note: int, state: list[object]) -> None:
    try:
        os.ftruncate(note, 0)
        os.pwrite(note, json.dumps(state).encode(), 0)
    except OSError as error:  # the disk is full, say: a piece of a note is as good as none
        _log.info("a check is not remembered: %s", error)
