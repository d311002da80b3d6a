"""Prepared videos are packed into shards, in order. The same videos give the same files."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from rotnet.data.framestore.index import PACKET, Index
from rotnet.data.framestore.layout import SHARD_BYTES, StoredFile

_CHUNK = 1 << 20


class DamagedPartError(Exception):
    """A part on disk is not what was written: the machine went down before it was on the disk."""


def packets_of(packets: Sequence[tuple[int, int]]) -> Index:
    """Return sizes and checksums of a video's packets as a piece of an index."""
    return np.array(packets, dtype=PACKET)


def num_bytes_of(packets: Index) -> int:
    """Return the bytes of a video's packets; 0 where frames stay in the videos."""
    stored = packets.dtype == PACKET
    return int(packets["size"].sum(dtype=np.int64)) if stored else 0


def checksum(packet: bytes) -> int:
    """Return a packet's CRC-32."""
    return crc32(packet)


def closes(shard_bytes: int, next_bytes: int) -> bool:
    """Return whether a shard is full before a video of `next_bytes` is added to it."""
    return shard_bytes > 0 and shard_bytes + next_bytes > SHARD_BYTES


def append(shard: Path, part: Path, index: Index) -> None:
    """Add a part to the end of a shard, checking each packet on the way.

    Raises:
        DamagedPartError: if the part is not what its index says; the shard is as it was.
    """
    before = shard.stat().st_size if shard.exists() else 0
    with part.open("rb") as source, shard.open("ab") as target:
        for size, crc in zip(index["size"].tolist(), index["crc"].tolist(), strict=True):
            packet = source.read(size)
            if len(packet) != size or crc32(packet) != crc:
                target.truncate(before)
                raise DamagedPartError
            target.write(packet)


def described(path: Path) -> StoredFile:
    """Return a file's name, size and checksum."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return StoredFile(path.name, size, digest.hexdigest())
