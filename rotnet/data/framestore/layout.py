"""The files of a frame store: their names, what is in them, and the record of them. No numpy.

`frames-00000.bin` and so on hold the packets of videos, one after another, whole videos each.
`index.npy` holds the size and the CRC-32 of every packet, in the order of the manifest's rows; of
frames that stay in their videos, the time of each and whether decoding can begin there.
`frames.json` says which format they are in, and has the size and the SHA-256 of each file.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from rotnet.errors import DataError

RECORD_FILE = "frames.json"
INDEX_FILE = "index.npy"
ORIGIN_FILE = "origin.txt"  # in a folder of the cache: the URL of the set it stands for
LAYOUT = "rotnet-frames"
LAYOUT_VERSION = 1
# A shard is closed before it grows beyond this; a longer video has one to itself.
SHARD_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a store, and what it must be."""

    name: str
    num_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Record:
    """What `frames.json` says.

    Args:
        storage: the format's name, "source" where frames stay in the videos they came from.
        shards: by number.
        index: the index file.
        source: folder of the videos, where frames stay in them.
    """

    storage: str
    shards: tuple[StoredFile, ...]
    index: StoredFile
    source: str | None = None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the record of the store in `folder`.

        Raises:
            DataError: if there is none, or it is not one that this version reads.
        """
        path = folder / RECORD_FILE
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["layout"] != LAYOUT:
                raise DataError(f"{path} is not the record of a frame store")
            if found["layout_version"] > LAYOUT_VERSION:
                raise DataError(
                    f"{path} has layout {found['layout_version']}, this rotnet reads up to "
                    f"{LAYOUT_VERSION}: use a newer rotnet, or prepare the set again"
                )
            return cls(
                storage=found["storage"],
                shards=tuple(StoredFile(**shard) for shard in found["shards"]),
                index=StoredFile(**found["index"]),
                source=found["source"],
            )
        except FileNotFoundError as error:
            raise DataError(f"{path} is missing: prepare the set again") from error
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} cannot be read: {error!r}; prepare the set again") from error

    def write(self, folder: Path) -> None:
        """Write the record into `folder`."""
        found: dict[str, Any] = {"layout": LAYOUT, "layout_version": LAYOUT_VERSION, **asdict(self)}
        (folder / RECORD_FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """All files but the record itself."""
        return (*self.shards, self.index)

    @property
    def num_bytes(self) -> int:
        """Bytes of all of them."""
        return sum(file.num_bytes for file in self.files)


def is_url(location: str | os.PathLike[str]) -> bool:
    """Return whether a location is a URL, such as s3://bucket/sets/hockey."""
    return "://" in os.fspath(location)


def origin_of(folder: Path) -> str | None:
    """Return the URL of the set that a folder of the cache stands for; None for another folder."""
    try:
        return (folder / ORIGIN_FILE).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def shard_name(number: int) -> str:
    """Return what a shard is called: frames-00000.bin."""
    return f"frames-{number:05d}.bin"


def is_shard(name: str) -> bool:
    """Return whether a file is called like a shard."""
    return name.startswith("frames-") and name.endswith(".bin")
