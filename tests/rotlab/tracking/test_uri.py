import http.server
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rotlab.tracking.uri import TrackingError, check_tracking_uri, default_tracking_uri
from tests.sockets import free_port


def test_the_default_lies_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert default_tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_environment_goes_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://example.org:5000")
    assert default_tracking_uri(tmp_path) == "http://example.org:5000"


def test_a_file_yet_to_be_made_passes_and_is_not_made(tmp_path: Path) -> None:
    check_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_work_is_one_clear_line(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("not a database, but long enough to be taken for one" * 20)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("create table recipes (name)")
    closed = free_port()
    for uri, said in {
        "mlruns": "not of a known form",
        "": "not of a known form",
        "ftp://host/x": "not of a known form",
        "sqlite://": "not of a known form",
        f"sqlite:///{tmp_path}": "is a folder",
        f"sqlite:///{tmp_path}/none/mlflow.db": "does not exist",
        f"sqlite:///{text}": "not a SQLite database",
        f"sqlite:///{other}": "other than MLflow",
        "http://": "names no host",
        f"http://127.0.0.1:{closed}": "no MLflow server answers",
        "postgresql://user:secret@host:port/x": "is malformed",
        f"postgresql://127.0.0.1:{closed}/mlflow": "no database answers",
        f"mysql://127.0.0.1:{closed}/mlflow": "driver is not installed",
    }.items():
        with pytest.raises(TrackingError, match=said) as caught:
            check_tracking_uri(uri)
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)


def test_a_server_passes_if_it_says_it_is_well() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/well/health" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        check_tracking_uri(f"{address}/well/")
        with pytest.raises(TrackingError, match="404"):
            check_tracking_uri(address)
    finally:
        server.shutdown()
        server.server_close()


def test_a_database_whose_writer_was_killed_passes_and_holds_what_it_held_before(
    uri: str, tmp_path: Path
) -> None:
    path = tmp_path / "mlflow.db"
    writer = (
        "import os, signal, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('pragma cache_size = 1')\n"
        "database.execute('begin')\n"
        "for number in range(2000):\n"
        "    name = f'{number}' * 100\n"
        "    database.execute('insert into experiments (name) values (?)', (name,))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", writer, path], check=False)  # noqa: S603  (our own text)
    assert path.with_name("mlflow.db-journal").exists()
    check_tracking_uri(uri)
    with sqlite3.connect(path) as database:
        assert database.execute("select count(*) from experiments").fetchone() == (1,)
