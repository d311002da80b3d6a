"""Where the bytes of a store come from: mapped files, each checked before its first use."""

import mmap
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rotnet.data.framestore.layout import Record
from rotnet.data.framestore.verified import check_stored

MAPS = 256  # shards that a reader keeps mapped: each holds a file open, and 1024 is a usual limit


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes of a shard, not to be written to, and whether the file they are from was checked."""

    data: NDArray[np.uint8]
    checked: bool


class Shards(Protocol):
    """Gives bytes of shards. Safe to use from threads."""

    def read(self, shard: int, start: int, end: int) -> Bytes:
        """Return bytes [start, end) of a shard, fewer where it ends before.

        Raises:
            DataError: if the shard is missing or damaged.
        """


class LocalShards:
    """Shards in a folder, mapped and not loaded: all processes of a node share what is cached.

    The shard opened longest ago is let go for one more than MAPS; views of it stay good.
    """

    def __init__(self, folder: Path, record: Record) -> None:
        """Take the shards of a record in `folder`; nothing is opened yet."""
        self._folder, self._record = folder, record
        self._maps: dict[int, tuple[mmap.mmap, NDArray[np.uint8]]] = {}
        self._lock = threading.Lock()

    def read(self, shard: int, start: int, end: int) -> Bytes:
        """Return a view of mapped bytes, which the disk is asked for in one go."""
        mapped, data = self._maps.get(shard) or self._open(shard)
        if 0 <= start < end <= data.size:
            first = start - start % mmap.PAGESIZE
            mapped.madvise(mmap.MADV_WILLNEED, first, end - first)
        return Bytes(data[start:end], checked=True)

    def _open(self, shard: int) -> tuple[mmap.mmap, NDArray[np.uint8]]:
        with self._lock:
            if shard not in self._maps:
                expected = self._record.shards[shard]
                path = self._folder / expected.name
                check_stored(path, expected)
                with path.open("rb") as file:
                    mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
                if len(self._maps) >= MAPS:
                    del self._maps[next(iter(self._maps))]
                self._maps[shard] = (mapped, np.frombuffer(mapped, np.uint8))
            return self._maps[shard]
