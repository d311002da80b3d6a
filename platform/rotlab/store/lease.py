"""A lease: a sign in the store that somebody works at a stage, so that nobody else need.

It only saves work. A result is right without: the first to commit wins. A lease is a small file
whose counter its holder moves on while the stage shows signs of life. An observer takes it for
stale when, on the observer's own clock, the counter has not moved for some time; one whose holder
is a process of this machine that is gone is stale at once.
"""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from rotlab.store.replica import far_of
from rotlab.store.slots import slot_of
from rotnet.errors import UserError

STALE_S = 30.0  # a lease that has not moved for so long may be taken over
BEATS = 6  # it moves on so often in that time
DEAD_S = 3600.0  # one that has not moved for so long is nobody's, for whoever only clears up
LIVES = 2  # a holder that waits for its driver for so many such times does not move it on


class HeldElsewhereError(Exception):
    """Another attempt holds the lease; its text is the lease as it lies there."""


class Lease:
    """Holds a stage from entering to leaving.

    Args:
        path: of the file, in a folder that is there.
        attempt: who holds it.
        stale: the text of another's lease that is to be taken over.
        is_alive: asked each time before it moves on.
        stale_s: seconds after which others take a lease that has not moved for stale.
    """

    def __init__(
        self,
        path: Path,
        attempt: str,
        stale: str | None,
        is_alive: Callable[[], bool],
        stale_s: float = STALE_S,
    ) -> None:
        self._attempt, self._stale = attempt, stale
        self._slot = slot_of(path, attempt, stale_s / BEATS)
        self._is_alive, self._stale_s = is_alive, stale_s
        self._beat, self._moved = 0, time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_up, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Take it.

        Raises:
            HeldElsewhereError: if another holds it.
        """
        self._moved = time.monotonic()
        if not self._slot.create(self._text()):
            text = self._slot.read()
            if text is not None and text != self._stale and not is_gone(holder_of(text)):
                raise HeldElsewhereError(text)
            if text is None:
                is_taken = self._slot.create(self._text())
            else:
                is_taken = self._slot.take_over(text, self._text())
            if not is_taken:
                raise HeldElsewhereError(self._slot.read() or "")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        with contextlib.suppress(UserError):  # a bucket that is away: the lease goes stale
            if self._is_own():
                self._slot.let_go()

    def is_fresh(self) -> bool:
        """Say whether nobody can have taken it for stale by now, whatever has held this one up."""
        return time.monotonic() - self._moved < self._stale_s / 2

    def _text(self) -> str:
        holder = {"attempt": self._attempt, "host": socket.gethostname(), "process": os.getpid()}
        return json.dumps({**holder, "beat": self._beat})

    def _is_own(self) -> bool:
        return holder_of(self._slot.glance()).get("attempt") == self._attempt

    def _keep_up(self) -> None:
        while not self._over.wait(self._stale_s / BEATS):
            if not self._is_alive():
                continue
            # On a full disk, or while a bucket is away, it goes stale; the work goes on.
            with contextlib.suppress(OSError, UserError):
                if not self._is_own():
                    return  # taken over
                self._beat += 1
                asked = time.monotonic()
                if not self._slot.move_on(self._text()):
                    return
                self._moved = asked


def is_held(path: Path, now: float) -> bool:
    """Say whether somebody may be at work, to one who has not the time to watch a lease move.

    Args:
        path: of the lease, whether it is there or not.
        now: by the clock that stamps the store's files.
    """
    far = far_of(path)
    if far is not None:
        held, listed = far.bucket.read(far.name), far.bucket.listed(far.name.rpartition("/")[0])
        one = listed.get(path.name)
        return (
            held is not None and one is not None and _may_live(held.data.decode(), one.changed, now)
        )
    try:
        changed = path.stat().st_mtime
    except FileNotFoundError:
        return False
    return _may_live(read_lease(path), changed, now)


def read_lease(path: Path) -> str | None:
    """Return the text of a lease; None where there is none."""
    return slot_of(path, "", STALE_S / BEATS).read()


def _may_live(text: str | None, changed: float, now: float) -> bool:
    return now - changed < DEAD_S and not is_gone(holder_of(text))


def holder_of(text: str | None) -> dict[str, object]:
    """What a lease says; nothing where it is torn."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_here(holder: dict[str, object]) -> bool:
    """Say whether a holder is a process of this machine that runs."""
    return holder.get("host") == socket.gethostname() and _runs(holder.get("process"))


def is_gone(holder: dict[str, object]) -> bool:
    """Whether a holder is known to have ended: it was a process of this machine."""
    return holder.get("host") == socket.gethostname() and not _runs(holder.get("process"))


def _runs(process: object) -> bool:
    if not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
