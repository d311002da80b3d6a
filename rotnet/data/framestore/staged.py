"""Shards of a set in object storage: read there at once, and staged on this node meanwhile.

A clip is one ranged read from the storage while its shard is not here; a thread fetches the shards
that are needed, one after another, and clips are read from each as soon as it is whole. What is
staged lies in the node's cache, for all of its processes, and within a bound: shards of sets that
nobody uses make room, those used longest ago first. What finds no room stays where it is.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rotnet.data.framestore.layout import Record, StoredFile, is_shard
from rotnet.data.framestore.remote import fetch
from rotnet.data.framestore.shards import Bytes, LocalShards
from rotnet.data.framestore.verified import CACHE_VARIABLE, DamagedFileError, cache_folder
from rotnet.errors import DataError

BOUND_VARIABLE = "ROTNET_CACHE_GB"
SHARE_OF_FREE = 0.5  # of the disk, where no bound is set
_CHUNK = 1 << 22
_POLL_S = 0.1
_log = logging.getLogger(__name__)


class StagedShards:
    """Shards of a record at a URL, staged in a folder of this node's cache."""

    def __init__(self, folder: Path, record: Record, url: str, needed: Iterable[int]) -> None:
        """Begin to stage.

        Args:
            folder: of the set in the cache.
            record: of the store.
            url: of the set.
            needed: numbers of the shards that will be read.

        Raises:
            DataError: if the bound is no number, or the cache cannot be used.
        """
        bound()  # here, not in the thread
        self._folder, self._record, self._url = folder, record, url
        self._local = LocalShards(folder, record)
        self._needed = sorted(set(needed))
        use = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT, 0o644)
        self._let_go = weakref.finalize(self, os.close, use)
        try:
            fcntl.flock(use, fcntl.LOCK_SH)  # from here on nobody makes room of this set
        except OSError as error:
            raise DataError(
                f"{folder} cannot be locked ({error.strerror}): set {CACHE_VARIABLE} to a folder "
                "of this node's own disk"
            ) from error
        self._here = {number for number in self._needed if self._path(number).is_file()}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._stage, name="staging", daemon=True)
        self._thread.start()

    def read(self, shard: int, start: int, end: int) -> Bytes:
        """Return bytes of a shard that is here, or else of the one in the storage."""
        name = self._record.shards[shard].name
        if shard in self._here:
            try:
                return self._local.read(shard, start, end)
            except DamagedFileError:
                _log.warning(
                    "%s: what was staged of %s is damaged or gone; it is read where it is",
                    self._url,
                    name,
                )
                self._here.discard(shard)
                self._path(shard).unlink(missing_ok=True)  # the next one stages it again
        data = _read_range(self._url, name, start, end)
        return Bytes(np.frombuffer(data, np.uint8), checked=False)

    def wait(self) -> None:
        """Return when all is staged that there is room for."""
        self._thread.join()

    @property
    def give_up(self) -> Callable[[], None]:
        """What ends staging, without a hold on this object: for when nobody reads any more."""
        return self._stop.set

    def close(self) -> None:
        """Stop staging, and let others have the room."""
        self._stop.set()
        self._thread.join()
        self._let_go()

    def _path(self, number: int) -> Path:
        return self._folder / self._record.shards[number].name

    def _stage(self) -> None:
        roomless = 0
        for number in self._needed:
            if self._stop.is_set() or number in self._here:
                continue
            try:
                fetched = self._fetched(number)
            except (DataError, OSError) as error:
                _log.warning("%s; clips are read from there", error)
                continue
            if self._stop.is_set():
                return
            if fetched:
                self._here.add(number)
            else:
                roomless += 1
        if roomless:
            _log.warning(
                "%s: there is no room for %d of %d files within the bound of this node's cache "
                "(set %s to change it); they are read where they are",
                self._url,
                roomless,
                len(self._needed),
                BOUND_VARIABLE,
            )

    def _fetched(self, number: int) -> bool:
        """Fetch a shard unless it is here by now; return False if there is no room for it.

        What it returns is of no matter once nothing is to be staged any more.
        """
        shard, path = self._record.shards[number], self._path(number)
        partial = path.with_suffix(".part")
        with _locked(path.with_suffix(".lock"), self._stop) as locked:
            if not locked or path.is_file():  # another process was quicker
                return locked
            partial.unlink(missing_ok=True)  # of a process that was ended
            if not _make_room(shard.num_bytes, partial):
                return False
            try:
                if self._downloaded(shard, partial):
                    partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
            return True

    def _downloaded(self, shard: StoredFile, partial: Path) -> bool:
        """Write a shard to a file that has room for it; return False if it is no longer wanted."""
        digest = hashlib.sha256()
        with partial.open("r+b") as file:
            for start in range(0, shard.num_bytes, _CHUNK):
                if self._stop.is_set():
                    return False
                end = min(start + _CHUNK, shard.num_bytes)
                data = _read_range(self._url, shard.name, start, end)
                digest.update(data)
                file.write(data)
        if digest.hexdigest() != shard.sha256:
            raise DataError(
                f"{self._url}/{shard.name} is damaged (its checksum is not what was written): "
                "upload it again"
            )
        return True


def bound() -> int:
    """Return how many bytes of shards may be staged on this node."""
    text = os.environ.get(BOUND_VARIABLE)
    folder = cache_folder() / "sets"
    folder.mkdir(parents=True, exist_ok=True)
    if text:
        try:
            limit = round(float(text) * 1e9)
        except (ValueError, OverflowError):
            limit = -1
        if limit < 0:
            raise DataError(f"{BOUND_VARIABLE} must be a number of gigabytes, got {text!r}")
        return limit
    return round(SHARE_OF_FREE * (shutil.disk_usage(folder).free + _staged_bytes()))


def _read_range(url: str, name: str, start: int, end: int) -> bytes:
    """Return bytes [start, end) of a file, all of them.

    Raises:
        DataError: if it cannot be read, or has no such bytes.
    """
    data = fetch(url, name, start, end)
    if len(data) != end - start:
        raise DataError(
            f"{url}/{name} gave {len(data)} bytes for [{start}, {end}): it was cut short, or is "
            "not served in ranges; upload it again, or elsewhere"
        )
    return data


def _make_room(num_bytes: int, partial: Path) -> bool:
    """Return whether so many more bytes fit, after shards of sets that nobody uses were removed.

    Args:
        num_bytes: how many.
        partial: made so long, in a set's folder, if they fit: from then on they count.
    """
    with _locked(cache_folder() / "sets" / "room.lock"):
        limit = bound()
        if num_bytes > limit:
            return False
        idle = (folder for folder in _sets() if folder != partial.parent)
        for folder in sorted(idle, key=lambda folder: folder.stat().st_mtime):
            if _staged_bytes() + num_bytes <= limit:
                break
            _remove_if_idle(folder)
        if _staged_bytes() + num_bytes > limit:
            return False
        with partial.open("wb") as file:
            file.truncate(num_bytes)
        return True


def _remove_if_idle(folder: Path) -> None:
    try:
        use = os.open(folder / "in-use", os.O_RDWR)
    except OSError:
        return
    try:
        if _free(use):
            for path in filter(_takes_room, folder.iterdir()):
                path.unlink()
    finally:
        os.close(use)


def _sets() -> list[Path]:
    return [path for path in (cache_folder() / "sets").iterdir() if path.is_dir()]


def _staged_bytes() -> int:
    total = 0
    for folder in _sets():
        for path in filter(_takes_room, folder.iterdir()):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
    return total


def _takes_room(path: Path) -> bool:
    return is_shard(path.name) or path.suffix == ".part"


@contextmanager
def _locked(path: Path, stop: threading.Event | None = None) -> Iterator[bool]:
    """Hold a lock, and give True; give False, without it, if `stop` was set before it was free."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while stop is not None and not _free(lock):
            if stop.wait(_POLL_S):
                yield False
                return
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield True
    finally:
        os.close(lock)


def _free(lock: int) -> bool:
    """Return whether a lock is ours now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
