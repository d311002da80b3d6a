"""What happened in a study, in order, one JSON object a line. Written before anyone hears of it."""

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotnet.errors import UserError

Event = dict[str, Any]
_SYNC_S = 0.5


class JournalError(UserError):
    """A journal cannot be read: something other than its end is damaged."""


class Journal:
    """An append-only file of events.

    Only a line that ends with a newline counts. A line that a crash tore is not read, and is cut
    off by the next append. Reading makes no file.

    Args:
        path: the file; its folder is made by the first append.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._unsynced = threading.Event()
        self._closed = threading.Event()
        self._syncer: threading.Thread | None = None

    def append(self, event: Mapping[str, Any]) -> None:
        """Write an event; it outlives this process from now on, and the machine from a second on.

        Raises:
            ValueError: if the journal has been closed.
            OSError: if it cannot be written; the event is then not in it.
            TypeError: if the event holds something that is not JSON.
        """
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            if self._closed.is_set():
                raise ValueError(f"{self.path}: the journal is closed, no event can be added")
            if self._descriptor is None:
                self._descriptor = self._open()
            end = os.fstat(self._descriptor).st_size
            try:
                _write_whole(self._descriptor, line)
            except OSError:  # a full disk took half a line, to which no other must be joined
                os.ftruncate(self._descriptor, end)
                raise
        self._unsynced.set()

    def size(self) -> int:
        """Return the number of bytes up to the end of the last event; 0 where there is no file."""
        return _whole_lines(self.path) if self.path.exists() else 0

    def read(self) -> list[Event]:
        """Return all events.

        Raises:
            JournalError: if a line before the last is not an event.
        """
        return [event for event, _ in self.read_from(0)]

    def read_from(self, offset: int, limit: int | None = None) -> list[tuple[Event, int]]:
        """Return the events that begin at a byte offset, each with the offset at which it ends.

        Args:
            offset: 0, or the end of an event.
            limit: at most so many; None for all.

        Raises:
            JournalError: if a line before the last is not an event.
        """
        if not self.path.exists():
            return []
        found: list[tuple[Event, int]] = []
        end = offset
        with self.path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n") or (limit is not None and len(found) >= limit):
                    break
                end += len(line)
                found.append((self._parse(line, end - len(line)), end))
        return found

    def close(self) -> None:
        """Bring everything to disk and take no more events. May be called twice."""
        with self._lock:
            self._closed.set()
            self._unsynced.set()
            descriptor, self._descriptor = self._descriptor, None
        if self._syncer is not None:
            self._syncer.join()
        if descriptor is not None:
            os.fsync(descriptor)
            os.close(descriptor)

    def _parse(self, line: bytes, start: int) -> Event:
        try:
            event = json.loads(line)
        except ValueError as error:
            raise JournalError(
                f"{self.path}: damaged at byte {start} ({error}); move the file away, "
                "which loses only what was not yet sent to MLflow"
            ) from error
        if not isinstance(event, dict) or "event" not in event:
            raise JournalError(
                f"{self.path}: no event at byte {start}: {line[:60]!r}; move the file away"
            )
        return event

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        os.ftruncate(descriptor, _whole_lines(self.path))
        self._syncer = threading.Thread(
            target=self._sync, args=(descriptor,), name="journal-sync", daemon=True
        )
        self._syncer.start()
        return descriptor

    def _sync(self, descriptor: int) -> None:
        while not self._closed.is_set():
            self._unsynced.wait()
            self._closed.wait(_SYNC_S)
            self._unsynced.clear()
            os.fsync(descriptor)


def _whole_lines(path: Path) -> int:
    """Return the number of bytes up to the last newline."""
    size = path.stat().st_size
    with path.open("rb") as file:
        while size > 0:
            start = max(0, size - 65536)
            file.seek(start)
            newline = file.read(size - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            size = start
    return 0


def _write_whole(descriptor: int, data: bytes) -> None:
    """Write all bytes; a full disk ends in OSError, not in half a line that goes unnoticed."""
    while data:
        data = data[os.write(descriptor, data) :]
