"""Keeps removal apart from what counts on results: many may count, one may remove, never both.

By a lock in a folder store; for one at a URL see `rotlab.store.presence`.
"""

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from rotlab.store.layout import GATE
from rotlab.store.presence import alone, present
from rotlab.store.replica import far_of
from rotnet.errors import UserError

WAIT_S = 10.0
_PAUSE_S = 0.05


@contextlib.contextmanager
def counting(root: Path) -> Iterator[Callable[[], None]]:
    """Have nothing removed while this is entered; waits for a removal that is under way.

    In a store that may only be read, whose lock nobody has made yet, there is nothing to wait for.

    Args:
        root: of the store.

    Yields:
        What to ask before what was there is relied on; it raises UserError where others may not
        have waited.
    """
    with contextlib.ExitStack() as stack:
        if far_of(root) is not None:
            yield stack.enter_context(present(root))
            return
        lock = _open(root / GATE)
        if lock is not None:
            fcntl.flock(stack.enter_context(lock), fcntl.LOCK_SH)
        yield _nothing  # a lock holds for as long as its process does


@contextlib.contextmanager
def removing(root: Path, wait_s: float = WAIT_S) -> Iterator[Callable[[], None]]:
    """Be the only one to remove, while nobody counts on what is there.

    Args:
        root: of the store.
        wait_s: how long others are waited for.

    Yields:
        What to ask before each removal; it raises UserError where others may not wait any more.

    Raises:
        UserError: if they are not gone by then.
    """
    if far_of(root) is not None:
        with alone(root, wait_s) as check:
            yield check
        return
    end = time.monotonic() + wait_s
    with (root / GATE).open("a", encoding="utf-8") as lock:
        while not _try(lock):
            if time.monotonic() > end:
                raise UserError(
                    f"{root} is being exported, imported to or cleared by another process, or a "
                    "run begins: try again once that is over"
                )
            time.sleep(_PAUSE_S)
        yield _nothing


def store_time(root: Path) -> float:
    """Return the time by the clock that stamps the store's files: another machine's, perhaps.

    Where they may only be read, it is this machine's; of a bucket it is the server's.
    """
    far = far_of(root)
    if far is not None:
        return far.bucket.clock()
    gate = root / GATE
    try:
        gate.touch()
        return gate.stat().st_mtime
    except OSError:
        return time.time()


def _nothing() -> None:
    """Find all in order."""


def _open(path: Path) -> IO[str] | None:
    with contextlib.suppress(OSError):
        return path.open("a+", encoding="utf-8")  # NFS shares a lock only where one may read
    with contextlib.suppress(OSError):
        return path.open(encoding="utf-8")
    return None


def _try(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
