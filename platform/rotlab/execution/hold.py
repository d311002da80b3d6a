"""Who runs a study: locks in its folder, which end with the processes that hold them."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_TRIES, _PAUSE_S = 4, 0.05


def holder(folder: Path) -> str | None:
    """Return who runs the study of a folder, None where nobody does."""
    for path in sorted(folder.glob("driver*.lock")):
        with path.open(encoding="utf-8") as lock:
            if not _try(lock, fcntl.LOCK_SH):
                return lock.read().strip() or "another process"
    return None


@contextlib.contextmanager
def hold(folder: Path, run: str) -> Iterator[str | None]:
    """Hold a study, beside others if need be; the first also clears what ended runs have left.

    Args:
        folder: of the study; made if it is not there.
        run: identity of the run.

    Yields:
        None for the first to hold it, else who that is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "driver.lock").open("a+", encoding="utf-8") as lock:
        for _ in range(_TRIES):  # who only looks holds it for a moment
            is_first = _try(lock)
            if is_first:
                break
            time.sleep(_PAUSE_S)
        if is_first:
            if not any(_is_held(path) for path in folder.glob("driver-*.lock")):
                for leftover in (*folder.glob("stop-*"), *folder.glob("driver-*.lock")):
                    leftover.unlink(missing_ok=True)
                for tried in folder.glob("smoke-*"):
                    shutil.rmtree(tried, ignore_errors=True)
                (folder / "cancel").unlink(missing_ok=True)
            lock.truncate(0)
            _sign(lock)
            yield None
            return
        lock.seek(0)
        other = lock.read().strip() or "another process"
    own = folder / f"driver-{run}.lock"
    with own.open("w", encoding="utf-8") as beside:
        _try(beside)
        _sign(beside)
        try:
            yield other
        finally:
            own.unlink(missing_ok=True)


def _try(lock: IO[str], how: int = fcntl.LOCK_EX) -> bool:
    """Lock a file, unless another's lock is in the way.

    NFS takes an exclusive lock by a file that is open for writing only, a shared one by one that is
    open for reading.
    """
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_held(path: Path) -> bool:
    with path.open(encoding="utf-8") as lock:
        return not _try(lock, fcntl.LOCK_SH)


def _sign(lock: IO[str]) -> None:
    lock.write(f"process {os.getpid()} on {os.uname().nodename}")
    lock.flush()
