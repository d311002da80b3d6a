"""A lease: a sign in the store that somebody works at a stage, so that nobody else need.

It only saves work. A result is right without: the first to commit wins. A lease is a small file
whose counter its holder moves on while the stage shows signs of life. An observer takes it for
stale when, on the observer's own clock, the counter has not moved for some time; one whose holder
is a process of this machine that is gone is stale at once.
"""

import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

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
        self._path, self._attempt, self._stale = path, attempt, stale
        self._is_alive, self._stale_s = is_alive, stale_s
        self._beat = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_up, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Take it.

        Raises:
            HeldElsewhereError: if another holds it.
        """
        aside = self._path.with_name(f".lease-{self._attempt}")
        for _ in range(2):
            aside.write_text(self._text(), encoding="utf-8")
            try:
                os.link(aside, self._path)
            except FileExistsError:
                self._remove_if_stale()
            else:
                self._thread.start()
                return self
            finally:
                aside.unlink(missing_ok=True)
        raise HeldElsewhereError(read_lease(self._path) or "")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        if _holder(read_lease(self._path)).get("attempt") == self._attempt:
            self._path.unlink(missing_ok=True)

    def _text(self) -> str:
        holder = {"attempt": self._attempt, "host": socket.gethostname(), "process": os.getpid()}
        return json.dumps({**holder, "beat": self._beat})

    def _remove_if_stale(self) -> None:
        """Two that do this at once may both go on: the work is then done twice, and is right."""
        text = read_lease(self._path)
        if text is None:
            return
        if text != self._stale and not _is_gone(_holder(text)):
            raise HeldElsewhereError(text)
        self._path.unlink(missing_ok=True)

    def _keep_up(self) -> None:
        while not self._over.wait(self._stale_s / BEATS):
            if not self._is_alive():
                continue
            if _holder(read_lease(self._path)).get("attempt") != self._attempt:
                return  # taken over
            self._beat += 1
            aside = self._path.with_name(f".lease-{self._attempt}")
            try:
                aside.write_text(self._text(), encoding="utf-8")
                aside.replace(self._path)
            except OSError:  # a full disk: the lease goes stale, the work goes on
                aside.unlink(missing_ok=True)


def is_held(path: Path, now: float) -> bool:
    """Say whether somebody may be at work, to one who has not the time to watch a lease move.

    Args:
        path: of the lease, whether it is there or not.
        now: by the clock that stamps the store's files.
    """
    try:
        changed = path.stat().st_mtime
    except FileNotFoundError:
        return False
    return now - changed < DEAD_S and not _is_gone(_holder(read_lease(path)))


def read_lease(path: Path) -> str | None:
    """Return the text of a lease; None where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _holder(text: str | None) -> dict[str, object]:
    """What a lease says; nothing where it is torn."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_gone(holder: dict[str, object]) -> bool:
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
