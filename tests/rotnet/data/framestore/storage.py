"""Object storage in memory, whose reads are listed and, where they stage, can be held back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec

from rotnet.data.frames import FrameReader
from rotnet.data.framestore.layout import is_shard
from rotnet.data.framestore.staged import StagedShards


class Storage:
    """A bucket.

    Attributes:
        url: of the bucket.
        clips: shards that were read for a clip, in order.
        staged: shards that were read to be kept, in order.
    """

    def __init__(self, url: str, read: Callable[..., bytes]) -> None:
        self.url = url
        self.clips: list[str] = []
        self.staged: list[str] = []
        self._read = read
        self._free = threading.Event()
        self._free.set()
        self._passes = threading.Semaphore(0)
        self._fs = fsspec.filesystem("memory")

    def put(self, folder: Path, name: str = "set") -> str:
        """Upload a folder, and return its URL."""
        url = f"{self.url}/{name}"
        for path in folder.iterdir():
            self._fs.pipe_file(f"{url}/{path.name}", path.read_bytes())
        return url

    def change(self, path: str, by: Callable[[bytes], bytes]) -> None:
        """Change a file of the bucket."""
        self._fs.pipe_file(f"{self.url}/{path}", by(self._fs.cat_file(f"{self.url}/{path}")))

    def remove(self, path: str) -> None:
        """Remove a file or a folder of the bucket."""
        self._fs.rm(f"{self.url}/{path}", recursive=True)

    def read(self, url: str, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """Stand in for the function that reads from storage."""
        staging = threading.current_thread().name == "staging"
        if is_shard(name):
            (self.staged if staging else self.clips).append(name)
        if staging and not self._free.is_set():
            self._passes.acquire()
        return self._read(url, name, start, end)

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Hold back what is staged; give what lets one read of it pass."""
        self._free.clear()
        try:
            yield self._passes.release
        finally:
            self._free.set()
            self._passes.release(100)


def staging(reader: FrameReader) -> StagedShards:
    """Return where a reader's frames come from."""
    shards = reader._shards
    assert isinstance(shards, StagedShards)
    return shards


def shards_in(folder: Path) -> list[str]:
    """Return the names of the shards that are staged in a folder."""
    return sorted(path.name for path in folder.iterdir() if is_shard(path.name))


def until(happened: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
