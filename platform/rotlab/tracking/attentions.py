"""Where networks look in a few videos, as stages have left it in MLflow."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.exceptions import MlflowException

from rotlab.tracking.client import open_client
from rotnet.errors import DataError
from rotnet.pictures.strip import FILE, Strip


def read_attention(uri: str, run_ids: Iterable[str]) -> dict[str, Strip]:
    """Return run -> the attention maps among its artifacts, of those that have them.

    One request each: ask for few.
    """
    client, found = open_client(uri), {}
    with TemporaryDirectory(prefix="rotlab-") as folder:
        for run_id in run_ids:
            try:
                path = client.download_artifacts(run_id, FILE, folder)
                found[run_id] = Strip.load(Path(path))
            except (MlflowException, OSError, DataError):  # it has none, or none to be read here
                continue
    return found
