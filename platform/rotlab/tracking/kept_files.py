"""Files that stages have left in MLflow, by name: fetched, read and dropped again."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from mlflow.exceptions import MlflowException

from rotlab.tracking.client import open_client
from rotlab.tracking.uri import is_server

Kept = TypeVar("Kept")

_AT_ONCE = 8  # requests to a server; a database is asked one by one


def read_files(
    uri: str, run_ids: Iterable[str], file: str, load: Callable[[Path], Kept | None]
) -> dict[str, Kept]:
    """Return run -> what its file holds, of those that have one; `load` gives None for no such.

    One request each: ask for few.
    """
    client, wanted = open_client(uri), list(run_ids)

    def read(run_id: str) -> Kept | None:
        with TemporaryDirectory(prefix="rotlab-") as folder:
            try:
                return load(Path(client.download_artifacts(run_id, file, folder)))
            except (MlflowException, OSError):  # it has none, or they are not at hand here
                return None

    with ThreadPoolExecutor(_AT_ONCE if is_server(uri) else 1) as pool:
        found = dict(zip(wanted, pool.map(read, wanted), strict=True))
    return {run_id: held for run_id, held in found.items() if held is not None}
