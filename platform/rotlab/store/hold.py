"""Who runs a study: locks in its folder, which end with the processes that hold them."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rotnet.errors import UserError

WAIT_S = 60.0  # of a run, for what holds its study and is none
_LOOK_S, _PAUSE_S = 0.2, 0.05


def holder(folder: Path) -> str | None:
    """Return who runs the study of a folder, None where nobody does."""
    for path in sorted(folder.glob("driver*.lock")):
        with path.open(encoding="utf-8") as lock:
            if not _try(lock, fcntl.LOCK_SH):
                return lock.read().strip() or "another process"
    return None


@contextlib.contextmanager
def hold(folder: Path, run: str, what: str | None = None) -> Iterator[str | None]:
    """Hold a study, beside others if need be; the first also clears what ended runs have left.

    Args:
        folder: of the study; made if it is not there.
        run: identity of the run.
        what: holds it, for a while, where that is not a run; runs wait for it.

    Yields:
        None for the first to hold it, else who that is.

    Raises:
        UserError: if something that is not a run held it for longer than a run waits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "driver.lock").open("a+", encoding="utf-8") as lock:
        if _take(lock, folder.name, waits=what is None):
            if not any(_is_held(path) for path in folder.glob("driver-*.lock")):
                for leftover in (*folder.glob("stop-*"), *folder.glob("driver-*.lock")):
                    leftover.unlink(missing_ok=True)
                for tried in folder.glob("smoke-*"):
                    shutil.rmtree(tried, ignore_errors=True)
                (folder / "cancel").unlink(missing_ok=True)
            lock.truncate(0)
            _sign(lock, what)
            yield None
            return
        other = _signature(lock) or "another process"
    own = folder / f"driver-{run}.lock"
    with own.open("w", encoding="utf-8") as beside:
        _try(beside)
        _sign(beside, what)
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


def _take(lock: IO[str], study: str, *, waits: bool) -> bool:
    """Lock a study, unless a run has: who only looks at it has it locked for a moment."""
    began = time.monotonic()
    while not _try(lock):
        elapsed, who = time.monotonic() - began, _signature(lock)
        if not (waits and who.endswith(")")) and elapsed > _LOOK_S:
            return False
        if elapsed > WAIT_S:
            raise UserError(f"{study} is held by {who}; try again once that is over")
        time.sleep(_PAUSE_S)
    return True


def _sign(lock: IO[str], what: str | None) -> None:
    """Write who holds a lock, which ends in a bracket if that is not a run."""
    lock.write(f"process {os.getpid()} on {os.uname().nodename}" + (f" ({what})" if what else ""))
    lock.flush()


def _signature(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read().strip()
