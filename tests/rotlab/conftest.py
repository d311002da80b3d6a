"""An MLflow to write to, and places for a store: a folder, a bucket, nodes that share that."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotlab.tracking.client import open_client
from tests.rotlab.store import gcs, s3
from tests.rotlab.store.nodes import Nodes
from tests.rotlab.store.served import BUCKET, Server


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
def s3_server() -> Iterator[Server]:
    with s3.serving() as server:
        yield server


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[Server]:
    with gcs.serving() as server:
        yield server


@pytest.fixture
def server(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return a server of S3's API that this process knows, with its one bucket."""
    for name, value in {**s3.KEYS, "AWS_ENDPOINT_URL": s3_server.endpoint}.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def google(gcs_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return a server of Google Cloud Storage's API that this process knows, with its bucket."""
    monkeypatch.setenv(gcs.ENDPOINT, gcs_server.endpoint)
    return gcs_server


@pytest.fixture
def url(server: Server, tmp_path: Path) -> str:  # noqa: ARG001  (it listens)
    """Return where in the bucket of S3 nobody else is."""
    return f"s3://{BUCKET}/{tmp_path.name}"


@pytest.fixture(params=["s3", "gs"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Return a protocol of buckets: each in turn."""
    found: str = request.param
    return found


@pytest.fixture
def any_server(scheme: str, request: pytest.FixtureRequest) -> Server:
    """Return a server of that protocol, as this process knows it."""
    found: Server = request.getfixturevalue({"s3": "server", "gs": "google"}[scheme])
    return found


@pytest.fixture
def any_url(scheme: str, any_server: Server, tmp_path: Path) -> str:  # noqa: ARG001  (it listens)
    """Return where in a bucket of that protocol nobody else is."""
    return f"{scheme}://{BUCKET}/{tmp_path.name}"


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    """Return what gives a store as one of several machines has it."""
    return Nodes(tmp_path, monkeypatch)


@pytest.fixture(params=["folder", "s3", "gs"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a store is to be: each kind in turn."""
    if request.param == "folder":
        return str(tmp_path / "store")
    request.getfixturevalue({"s3": "server", "gs": "google"}[request.param])
    return f"{request.param}://{BUCKET}/{tmp_path.name}"
