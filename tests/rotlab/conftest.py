"""An MLflow to write to, and places for a store: a folder, a bucket, nodes that share that."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotlab.tracking.client import open_client
from tests.rotlab.store import s3
from tests.rotlab.store.nodes import Nodes


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow database with no study in it; making one takes seconds, copying it none."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    open_client(f"sqlite:///{path}")
    return path


@pytest.fixture
def uri(empty_database: Path, tmp_path: Path) -> str:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[s3.Server]:
    with s3.serving() as server:
        yield server


@pytest.fixture
def server(s3_server: s3.Server, monkeypatch: pytest.MonkeyPatch) -> s3.Server:
    """Return a server of S3's API that this process knows, with its one bucket."""
    for name, value in {**s3.KEYS, "AWS_ENDPOINT_URL": s3_server.endpoint}.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def url(server: s3.Server, tmp_path: Path) -> str:  # noqa: ARG001  (it listens)
    """Return where in the bucket nobody else is."""
    return f"s3://{s3.BUCKET}/{tmp_path.name}"


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    """Return what gives a store as one of several machines has it."""
    return Nodes(tmp_path, monkeypatch)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a store is to be: each kind in turn."""
    if request.param == "folder":
        return str(tmp_path / "store")
    found: str = request.getfixturevalue("url")
    return found
