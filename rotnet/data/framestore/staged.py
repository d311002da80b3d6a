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
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import numpy as np

from rotnet.data.framestore.layout import Record, StoredFile, is_shard
from rotnet.data.framestore.shards import Bytes, LocalShards
from rotnet.data.framestore.verified import cache_folder
from rotnet.errors import DataError

BOUND_VARIABLE = "ROTNET_CACHE_GB"
SHARE_OF_FREE = 0.5  # of the disk, where no bound is set
TRIES = 4
_CHUNK = 1 << 22
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
        """
        self._folder, self._record, self._url = folder, record, url
        self._local = LocalShards(folder, record)
        self._needed = sorted(set(needed))
        self._here = {number for number in self._needed if self._path(number).is_file()}
        self._use = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self._use, fcntl.LOCK_SH)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._stage, name="staging", daemon=True)
        self._thread.start()

    def read(self, shard: int, start: int, end: int) -> Bytes:
        """Return bytes of a shard that is here, or else of the one in the storage."""
        if shard in self._here:
            return self._local.read(shard, start, end)
        name = self._record.shards[shard].name
        data = _read(self._url, name, start, end)
        return Bytes(np.frombuffer(data, np.uint8), checked=False)

    def wait(self) -> None:
        """Return when all is staged that there is room for."""
        self._thread.join()

    def close(self) -> None:
        """Stop staging, and let others have the room."""
        self._stop.set()
        self._thread.join()
        os.close(self._use)

    def _path(self, number: int) -> Path:
        return self._folder / self._record.shards[number].name

    def _stage(self) -> None:
        try:
            for number in self._needed:
                if self._stop.is_set():
                    return
                if number in self._here or self._fetched(number):
                    self._here.add(number)
        except (DataError, OSError) as error:
            _log.warning("%s: staging stopped (%s); clips are read from there", self._url, error)

    def _fetched(self, number: int) -> bool:
        """Fetch a shard unless it is here by now; return False if there is no room for it."""
        shard, path = self._record.shards[number], self._path(number)
        with _locked(path.with_suffix(".lock")):  # another process may be at it
            if path.is_file():
                return True
            if not _make_room(shard.num_bytes, self._folder):
                _log.warning(
                    "%s: there is no room for %s within the bound of this node's cache (set %s "
                    "to change it); it is read where it is",
                    self._url,
                    shard.name,
                    BOUND_VARIABLE,
                )
                return False
            partial = path.with_suffix(".part")
            try:
                self._download(shard, partial)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
            return not self._stop.is_set()

    def _download(self, shard: StoredFile, partial: Path) -> None:
        digest = hashlib.sha256()
        with partial.open("wb") as file:
            for start in range(0, shard.num_bytes, _CHUNK):
                if self._stop.is_set():
                    raise DataError("it is no longer wanted")
                end = min(start + _CHUNK, shard.num_bytes)
                data = _read(self._url, shard.name, start, end)
                digest.update(data)
                file.write(data)
        if digest.hexdigest() != shard.sha256:
            raise DataError(
                f"{self._url}/{shard.name} is damaged (its checksum is not what was written): "
                "upload it again"
            )


def staged_folder_of(url: str, fingerprint: str) -> Path:
    """Return where a set at a URL is staged."""
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    return cache_folder() / "sets" / f"{name}-{fingerprint[:16]}"


def fetch_file(url: str, name: str) -> bytes:
    """Return a small file of a set at a URL.

    Raises:
        DataError: if it cannot be read.
    """
    return _read(url, name)


def bound() -> int:
    """Return how many bytes of shards may be staged on this node."""
    text = os.environ.get(BOUND_VARIABLE)
    folder = cache_folder() / "sets"
    folder.mkdir(parents=True, exist_ok=True)
    if text:
        try:
            return round(float(text) * 1e9)
        except ValueError as error:
            raise DataError(
                f"{BOUND_VARIABLE} must be a number of gigabytes, got {text!r}"
            ) from error
    return round(SHARE_OF_FREE * (shutil.disk_usage(folder).free + _staged_bytes()))


def _read(url: str, name: str, start: int | None = None, end: int | None = None) -> bytes:
    """Return bytes [start, end) of a file, all of them by default; tried again where that may help.

    Raises:
        DataError: if it cannot be read.
    """
    path = f"{url.rstrip('/')}/{name}"
    for again in range(TRIES):
        try:
            fs, inside = fsspec.core.url_to_fs(path)
            data: bytes = fs.cat_file(inside, start, end)
            return data
        except FileNotFoundError as error:
            raise DataError(f"{path} does not exist") from error
        except (ImportError, ValueError) as error:
            raise DataError(f"{path} cannot be read: {error}") from error
        except Exception as error:  # each file system has errors of its own
            if again == TRIES - 1:
                raise DataError(f"{path} cannot be read: {error}") from error
            time.sleep(0.5 * 2**again)
    raise AssertionError


def _make_room(num_bytes: int, own: Path) -> bool:
    """Return whether so many more bytes fit, after shards of sets that nobody uses were removed."""
    with _locked(cache_folder() / "sets" / "room.lock"):
        limit = bound()
        if num_bytes > limit:
            return False
        idle = (folder for folder in _sets() if folder != own)
        for folder in sorted(idle, key=lambda folder: folder.stat().st_mtime):
            if _staged_bytes() + num_bytes <= limit:
                break
            _remove_if_idle(folder)
        return _staged_bytes() + num_bytes <= limit


def _remove_if_idle(folder: Path) -> None:
    try:
        use = os.open(folder / "in-use", os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in folder.iterdir():
            if is_shard(path.name):
                path.unlink()
    except BlockingIOError:
        pass  # somebody uses it
    finally:
        os.close(use)


def _sets() -> list[Path]:
    return [path for path in (cache_folder() / "sets").iterdir() if path.is_dir()]


def _staged_bytes() -> int:
    total = 0
    for folder in _sets():
        for path in folder.iterdir():
            if is_shard(path.name) or path.suffix == ".part":
                with contextlib.suppress(FileNotFoundError):
                    total += path.stat().st_size
    return total


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
