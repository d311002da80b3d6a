"""Where a prepared set is: a folder, or a URL whose small files are brought here first."""

import os
import threading
from pathlib import Path

from rotnet.data.framestore.layout import INDEX_FILE, ORIGIN_FILE, RECORD_FILE, Record, is_url
from rotnet.data.framestore.remote import fetch, staged_folder_of
from rotnet.data.framestore.verified import CACHE_VARIABLE, check_stored
from rotnet.data.header import HEADER_FILE, MANIFEST_FILE, parse_header
from rotnet.data.manifest import Manifest
from rotnet.errors import DataError


def local_folder(location: str | os.PathLike[str]) -> Path:
    """Return the folder of a set; of one at a URL, that of this node's cache which stands for it.

    Its manifest and index are fetched unless they are there; its frames are not. A set that was
    prepared again and uploaded to the same URL has another folder.

    Raises:
        DataError: if there is no prepared set at the URL, or it cannot be read, or kept here.
    """
    if not is_url(location):
        return Path(location)
    url = os.fspath(location).rstrip("/").removesuffix("/" + MANIFEST_FILE)
    header = fetch(url, HEADER_FILE)
    parse_header(header, f"{url}/{HEADER_FILE}")
    record = fetch(url, RECORD_FILE)
    folder = staged_folder_of(url, header + record)
    try:
        if not _is_whole(folder, record):
            _fetch(url, folder, {HEADER_FILE: header, RECORD_FILE: record})
        os.utime(folder)  # the set used longest ago makes room first
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written ({error.strerror}): set {CACHE_VARIABLE} to a folder of "
            "this node"
        ) from error
    return folder


def _is_whole(folder: Path, record: bytes) -> bool:
    """Return whether all small files are here; the one that says where from is written last."""
    try:
        (folder / ORIGIN_FILE).stat()
        if (folder / RECORD_FILE).read_bytes() != record:
            return False
        check_stored(folder / INDEX_FILE, Record.load(folder).index)
    except (FileNotFoundError, DataError):
        return False
    return True


def _fetch(url: str, folder: Path, found: dict[str, bytes]) -> None:
    """Bring a set's small files here, those besides that were found before, and check them."""
    more = {name: fetch(url, name) for name in (MANIFEST_FILE, INDEX_FILE)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in {**found, **more, ORIGIN_FILE: f"{url}\n".encode()}.items():
        _write(folder / name, data)
    try:
        Manifest.load(folder)
        record = Record.load(folder)
        check_stored(folder / INDEX_FILE, record.index)
    except DataError as error:
        (folder / ORIGIN_FILE).unlink(missing_ok=True)  # it may be mended there
        raise DataError(f"{url} cannot be used: {error}, and upload it again") from error
    if record.source is not None:
        (folder / ORIGIN_FILE).unlink()
        raise DataError(
            f"{url} holds no frames: they stay in the videos that the set was made from; prepare "
            "it as raw, jpeg or h264 and upload that"
        )


def _write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, whoever else is at it."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
