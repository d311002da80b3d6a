"""The store: a folder of results and studies, safe to share between processes and machines."""

import os
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from rotlab.execution.files import StoreError
from rotlab.execution.layout import CHECKPOINT, ORIGIN
from rotlab.execution.results import Results, checksums, new_attempt_id
from rotlab.execution.studies import Studies

__all__ = ["CHECKPOINT", "DEFAULT", "ORIGIN", "Store", "StoreError", "checksums", "new_attempt_id"]

DEFAULT = "rotlab-store"


class Store(Results, Studies):
    """A folder of results, safe to share between processes and machines that see it."""

    @classmethod
    def open(cls, url: str | None, *, writing: bool = True) -> Self:
        """Return the store at a path or file:// URL; None takes $ROTLAB_STORE, else ./rotlab-store.

        A folder that does not exist is made when something is first written to it.

        Args:
            url: as given to --store.
            writing: whether results are to be added, not only read.

        Raises:
            StoreError: if the scheme is another, or the place is a file or cannot be written.
        """
        given = url or os.environ.get("ROTLAB_STORE") or DEFAULT
        path = _local_path(given)
        # One store has one name, in MLflow's URI as well; links stay, as another machine may have
        # its own.
        root = path.resolve() if ".." in path.parts else path.absolute()
        there = next(path for path in (root, *root.parents) if path.exists())
        if not there.is_dir():
            raise StoreError(
                f"store {given}: {there} is a file, but must be a folder; give --store another path"
            )
        if writing and not os.access(there, os.W_OK | os.X_OK):
            raise StoreError(
                f"store {given}: {there} is not writable for this user; give --store another path"
            )
        return cls(root)

    def smoke_store(self, name: str, run: str) -> "Store":
        """Return the store in which a run tries stages; its folder may not be there."""
        return Store(self.study_folder(name) / f"smoke-{run}")


def _local_path(given: str) -> Path:
    parts = urlsplit(given)
    if not parts.scheme or len(parts.scheme) == 1:
        return Path(given).expanduser()
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    raise StoreError(
        f"store {given}: scheme {parts.scheme!r} is not supported; "
        "give a local path or a file:// URL"
    )
