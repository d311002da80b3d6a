"""Files of a set at a URL, by fsspec: s3://, gs:// and whatever else it knows. No numpy."""

import hashlib
import time
from pathlib import Path

import fsspec

from rotnet.data.framestore.verified import cache_folder
from rotnet.errors import DataError

TRIES = 4
PAUSE_S = 0.5  # before the second; twice as long before each later one


class MissingError(DataError):
    """There is no such file at a URL."""


def staged_folder_of(url: str, identity: bytes) -> Path:
    """Return the folder of the cache that stands for a set with that content at a URL."""
    name = hashlib.sha256(url.encode() + b"\0" + identity).hexdigest()[:32]
    return cache_folder() / "sets" / name


def fetch(url: str, name: str, start: int | None = None, end: int | None = None) -> bytes:
    """Return bytes [start, end) of a file, all of them by default; tried again where that may help.

    Raises:
        MissingError: if there is no such file.
        DataError: if it cannot be read.
    """
    path = f"{url.rstrip('/')}/{name}"
    for again in range(TRIES):
        try:
            fs, inside = fsspec.core.url_to_fs(path)
            data: bytes = fs.cat_file(inside, start=start, end=end)
            return data
        except FileNotFoundError as error:
            raise MissingError(f"{path} does not exist") from error
        except (ImportError, ValueError) as error:
            raise DataError(f"{path} cannot be read: {error}") from error
        except Exception as error:  # each file system has errors of its own
            if again == TRIES - 1:
                raise DataError(f"{path} cannot be read: {error}") from error
            time.sleep(PAUSE_S * 2**again)
    raise AssertionError
