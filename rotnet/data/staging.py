"""A folder that appears whole or not at all: written beside its place, then renamed."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotnet.errors import DataError


@contextmanager
def staged_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder beside `out`; when the block ends well, it takes the place of `out`.

    When the block fails, it is removed and `out` is as it was. What a killed process left is
    removed by the next. Where `out` is a link to a folder, all this is done to that folder.

    Raises:
        DataError: if another process is writing `out`, or nothing can be written beside it.
    """
    out = out.resolve()
    staging = out.parent / f".{out.name}.preparing"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(out.parent / f".{out.name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DataError(f"cannot write beside {out}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(f"another process is preparing {out}: wait for it to end") from error
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            yield staging
            _take_place(staging, out)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            (out.parent / f".{out.name}.lock").unlink(missing_ok=True)
    finally:
        os.close(lock)


def _take_place(staging: Path, out: Path) -> None:
    """Rename staging to out; a set that stands there is moved aside first and then removed."""
    aside = out.parent / f".{out.name}.old"
    shutil.rmtree(aside, ignore_errors=True)
    if not out.exists():
        staging.rename(out)
        return
    out.rename(aside)
    try:
        staging.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside)
