"""The store: results and studies, in a folder or a bucket, safe to share between machines."""

import os
import shutil
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from rotlab.store.bucket import PROTOCOLS, reach
from rotlab.store.carrying import send_away
from rotlab.store.files import StoreError
from rotlab.store.layout import CHECKPOINT, ORIGIN
from rotlab.store.replica import far_of, replica_of, told
from rotlab.store.results import Results, checksums, new_attempt_id
from rotlab.store.studies import Studies

__all__ = ["CHECKPOINT", "DEFAULT", "ORIGIN", "Store", "StoreError", "checksums", "new_attempt_id"]

DEFAULT = "rotlab-store"
_SYNONYMS = {"gcs": "gs"}  # one store has one name


class Store(Results, Studies):
    """Results, safe to share between processes and machines that reach them.

    Of a store at a URL the root is the folder that stands for it; see `rotlab.store.replica`.
    """

    @classmethod
    def open(cls, url: str | None, *, writing: bool = True) -> Self:
        """Return the store at a path or URL; None takes $ROTLAB_STORE, else ./rotlab-store.

        A folder that does not exist is made when something is first written to it.

        Args:
            url: as given to --store.
            writing: whether results are to be added, not only read.

        Raises:
            UserError: if the scheme is another, the place is a file or cannot be written, or the
                bucket cannot be reached.
        """
        given = url or os.environ.get("ROTLAB_STORE") or DEFAULT
        at_bucket = bucket_url(given)
        if at_bucket is not None:
            reach(at_bucket)
            return cls(replica_of(at_bucket))
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

    def discard(self) -> None:
        """Remove the store: its stages were only tried."""
        send_away(self.root)
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def name(self) -> str:
        """The path or URL by which it is opened."""
        return told(self.root)

    @property
    def is_bucket(self) -> bool:
        """Whether it lies in a bucket, not in a folder."""
        return far_of(self.root) is not None

    def is_there(self) -> bool:
        """Say whether there is a store: a folder, or anything in the bucket."""
        far = far_of(self.root)
        return self.root.is_dir() if far is None else bool(far.bucket.listed(far.name))


def bucket_url(given: str) -> str | None:
    """Return the URL of a store in a bucket; None for any other place.

    Raises:
        StoreError: if it names no bucket.
    """
    parts = urlsplit(given)
    scheme = _SYNONYMS.get(parts.scheme, parts.scheme)
    if scheme not in PROTOCOLS:
        return None
    names = [part for part in parts.path.split("/") if part]
    if not parts.netloc or ".." in names:
        raise StoreError(f"store {given}: names no bucket; give {scheme}://BUCKET/PATH")
    return "/".join((f"{scheme}://{parts.netloc}", *names))


def _local_path(given: str) -> Path:
    parts = urlsplit(given)
    if not parts.scheme or len(parts.scheme) == 1:
        return Path(given).expanduser()
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    raise StoreError(
        f"store {given}: scheme {parts.scheme!r} is not supported; give a local path, a file:// "
        "URL, gs://BUCKET/PATH of Google Cloud Storage, or s3://BUCKET/PATH: of S3, or of a server "
        "that speaks its API and creates by If-None-Match and replaces by If-Match"
    )
