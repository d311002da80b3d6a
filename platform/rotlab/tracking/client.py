"""A connection to MLflow that is quiet, and makes a SQLite database whole or not at all."""

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from mlflow.entities import Experiment, Run
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from rotlab.tracking.uri import SQLITE, sqlite_path

Item = TypeVar("Item")

UNREACHABLE = (MlflowException, SQLAlchemyError, OSError)
_PAGE = 1000
_ASIDE = "(raised as a result of"  # SQLAlchemy's remark, before what happened


def open_client(uri: str) -> MlflowClient:
    """Return a client of the MLflow at a URI; a SQLite file not yet there is made within seconds.

    What the environment says of runs and experiments (MLFLOW_RUN_ID and the like) has no effect on
    it.

    Raises:
        MlflowException, SQLAlchemyError, OSError: if MLflow cannot be reached (`UNREACHABLE`).
    """
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it raises them as well
    logging.getLogger("alembic").setLevel(logging.WARNING)
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        _make_database(path)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def find_runs(client: MlflowClient, experiment_id: str, filter_string: str = "") -> Iterator[Run]:
    """Yield all runs of an experiment that are not deleted, a page at a time."""
    return _paged(
        lambda token: client.search_runs(
            [experiment_id], filter_string, max_results=_PAGE, page_token=token
        )
    )


def find_experiments(client: MlflowClient) -> Iterator[Experiment]:
    """Yield all experiments that are not deleted."""
    return _paged(lambda token: client.search_experiments(max_results=_PAGE, page_token=token))


def reason(error: Exception) -> str:
    """Return what an error says, in one line."""
    lines = (str(error).strip() or type(error).__name__).splitlines()
    return next((line for line in lines if not line.startswith(_ASIDE)), lines[0])


def _paged(search: Callable[[str | None], PagedList[Item]]) -> Iterator[Item]:
    token: str | None = None
    while True:
        page = search(token)
        yield from page
        token = page.token
        if not token:
            return


def _make_database(path: Path) -> None:
    """Make MLflow's tables in a file aside, then name it: a process that dies leaves no half."""
    prefix = f".{path.name}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as folder:
        aside = Path(folder) / path.name
        uri = f"{SQLITE}{aside}"
        MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments(max_results=1)
        with contextlib.suppress(FileExistsError):  # another driver was faster
            os.link(aside, path)
    for left in path.parent.glob(f"{prefix}*"):  # by makers that died, or are now too late
        shutil.rmtree(left, ignore_errors=True)
