"""Where a prepared set is: a folder, or a URL whose small files are brought here first."""

import json
import os
import tempfile
from pathlib import Path

from rotnet.data.framestore.layout import INDEX_FILE, ORIGIN_FILE, RECORD_FILE, is_url
from rotnet.data.framestore.staged import fetch_file, staged_folder_of
from rotnet.data.manifest import HEADER_FILE, MANIFEST_FILE
from rotnet.errors import DataError

SMALL_FILES = (MANIFEST_FILE, RECORD_FILE, INDEX_FILE)


def local_folder(location: str | os.PathLike[str]) -> Path:
    """Return the folder of a set; of one at a URL, that of this node's cache which stands for it.

    Its manifest and index are fetched unless they are there; its frames are not.

    Raises:
        DataError: if there is no prepared set at the URL, or it cannot be read.
    """
    if not is_url(location):
        return Path(location)
    url = os.fspath(location).rstrip("/").removesuffix("/" + MANIFEST_FILE)
    header = fetch_file(url, HEADER_FILE)
    try:
        fingerprint = json.loads(header)["fingerprint"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{url}/{HEADER_FILE} is not the header of a prepared data set") from error
    folder = staged_folder_of(url, fingerprint)
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as place:
            whole = Path(place) / "set"
            whole.mkdir()
            (whole / HEADER_FILE).write_bytes(header)
            for name in SMALL_FILES:
                (whole / name).write_bytes(fetch_file(url, name))
            (whole / ORIGIN_FILE).write_text(url + "\n", encoding="utf-8")
            try:
                whole.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was quicker
                    raise
    os.utime(folder)  # the set used longest ago makes room first
    return folder
