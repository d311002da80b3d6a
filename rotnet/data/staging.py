"""A folder that appears whole or not at all: written beside its place, then renamed.

What was written before an interruption stays beside it, so that the next run can go on from there.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rotnet.errors import DataError, UserError

SET = "set"  # within the staging folder, what takes the place of `out`


class UnfinishedError(DataError):
    """Work was cut short, and what is done of it is kept."""


def staging_of(out: Path) -> Path:
    """Return the folder beside `out` where it is prepared."""
    out = out.resolve()
    return out.parent / f".{out.name}.preparing"


@contextmanager
def staged_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out`; when the block ends well, its `SET` takes the place of `out`.

    It holds what an interrupted run left in it. When the block fails by a UserError, which the same
    work would meet again, it is removed; else it is kept. `out` is as it was. Where `out` is a link
    to a folder, all this is done to that folder.

    Raises:
        DataError: if another process is writing `out`, or nothing can be written beside it.
    """
    out, staging = out.resolve(), staging_of(out)
    with _locked(out):
        staging.mkdir(exist_ok=True)
        try:
            yield staging
            _take_place(staging / SET, out)
            shutil.rmtree(staging, ignore_errors=True)
        except UnfinishedError:
            raise
        except UserError:
            shutil.rmtree(staging, ignore_errors=True)
            raise


def clear_old(out: Path) -> None:
    """Remove what a run that was killed after its set had taken its place has left beside it.

    Another process may be writing `out` now, or nobody may write there: then it stays.
    """
    out, staging = out.resolve(), staging_of(out)
    finished = staging.is_dir() and not (staging / SET).exists()
    if not finished and not _aside(out).exists():
        return
    with suppress(DataError), _locked(out):
        shutil.rmtree(_aside(out), ignore_errors=True)
        if finished:
            shutil.rmtree(staging, ignore_errors=True)


def _aside(out: Path) -> Path:
    return out.parent / f".{out.name}.old"


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    path = out.parent / f".{out.name}.lock"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DataError(f"cannot write beside {out}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(path, lock):  # its last holder has just removed it
                raise BlockingIOError
        except BlockingIOError as error:
            raise DataError(f"another process is preparing {out}: wait for it to end") from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _is_at(path: Path, file: int) -> bool:
    """Return whether an open file is the one at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _take_place(staging: Path, out: Path) -> None:
    """Rename a folder to out; a set that stands there is moved aside first and then removed."""
    aside = _aside(out)
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
