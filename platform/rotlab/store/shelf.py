"""Where MLflow finds what it is to hold of a store, and where it keeps that itself."""

import os
from pathlib import Path

from rotlab.store.carrying import bring_files
from rotlab.store.layout import Layout
from rotlab.store.replica import Far, far_of
from rotlab.store.results import Results
from rotlab.store.store import Store
from rotlab.tracking.artifacts import MOST_BYTES, NETWORKS, Artifacts
from rotlab.tracking.uri import (
    TrackingError,
    artifact_root,
    default_tracking_uri,
    is_server,
    sqlite_path,
)


def tracking_uri_of(store: Store, given: str | None) -> str:
    """Return MLflow's URI: the one that was given, else the default for a store.

    Raises:
        TrackingError: if there is none, as a database cannot lie in a bucket.
    """
    if given:
        return given
    if store.is_bucket and not os.environ.get("MLFLOW_TRACKING_URI"):
        raise TrackingError(
            f"store {store.name} is a bucket, where MLflow's database cannot lie: give "
            "--tracking-uri, or set MLFLOW_TRACKING_URI, to http://HOST:PORT of a server, or to "
            "sqlite:///PATH on a disk that stays"
        )
    return default_tracking_uri(store.root)


def artifact_root_of(store: Store, uri: str) -> str | None:
    """Return where artifacts of new experiments are to lie; None leaves that to MLflow."""
    if store.is_bucket and not is_server(uri) and sqlite_path(uri) is None:
        return f"{store.name}/artifacts"
    return artifact_root(store.root, uri)


def shelf_of(store: Store, artifacts: Artifacts) -> Layout:
    """Return what finds the files of results for MLflow."""
    return BucketShelf(store.root, artifacts) if store.is_bucket else Layout(store.root)


class BucketShelf(Layout):
    """Finds files as a folder's paths do, once it has fetched those that are to go to MLflow.

    Args:
        root: the folder that stands for the store.
        artifacts: which of them.
    """

    def __init__(self, root: Path, artifacts: Artifacts) -> None:
        super().__init__(root)
        self._artifacts = artifacts

    def attempts(self, key: str, kind: str) -> Path:
        """Return the folder of a stage's attempts; in it is of the result what is to go."""
        folder = super().attempts(key, kind)
        record = Results(self.root).record(key, kind)
        if record is None or self._artifacts == "none":
            return folder
        place = folder / record.attempt
        far = far_of(place)
        there = {} if far is None else _sizes(far)
        is_small = {name: size <= MOST_BYTES for name, size in there.items()}
        wanted = {
            name: sha256
            for name, sha256 in record.files.items()
            if self._artifacts == "all"
            or (is_small.get(name, False) and Path(name).suffix not in NETWORKS)
        }
        bring_files(place, wanted)
        return folder


def _sizes(far: Far) -> dict[str, int]:
    listed = far.bucket.listed(far.name, deep=True)
    return {name: one.size for name, one in listed.items() if one is not None}
