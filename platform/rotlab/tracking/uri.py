"""Where MLflow's data lie: the default, and whether a tracking URI can work. Imports no MLflow."""

import os
import socket
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from rotnet.errors import UserError

SQLITE = "sqlite:///"
_DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_FORMS = "sqlite:///PATH, http(s)://HOST:PORT, postgresql://..., mysql://... or mssql://..."


class TrackingError(UserError):
    """MLflow cannot be reached, or what it holds cannot be used."""


def default_tracking_uri(store_root: Path) -> str:
    """Return $MLFLOW_TRACKING_URI where it is set, else `mlflow.db`, SQLite, in the store."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{store_root.absolute()}/mlflow.db"


def artifact_root(store_root: Path, uri: str) -> str | None:
    """Return where artifacts are to lie: beside a SQLite file, in the store for other databases.

    None for a server, which knows a place itself. Without one, MLflow would take the folder that it
    happens to be called in.
    """
    path = sqlite_path(uri)
    if path is not None:
        return str(path.parent / "artifacts")
    return None if uri.startswith(("http:", "https:")) else str(store_root / "artifacts")


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a SQLite URI, None for any other URI."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def is_server(uri: str) -> bool:
    """Say whether a URI is that of an MLflow server, not of a database."""
    return uri.startswith(("http://", "https://"))


def check_tracking_uri(uri: str, timeout_s: float = 5.0, *, writing: bool = True) -> None:
    """Return if MLflow can be expected to take runs at a URI. Makes nothing.

    Args:
        uri: as given to --tracking-uri.
        timeout_s: how long a server may take to answer.
        writing: whether runs are to be added, not only read.

    Raises:
        TrackingError: in one line: not a form that MLflow takes, no such folder, not a database, no
            answer.
    """
    scheme = uri.partition(":")[0].partition("+")[0]
    if uri.startswith(SQLITE):
        _check_sqlite(Path(uri.removeprefix(SQLITE)), uri, writing=writing)
    elif scheme in ("http", "https"):
        _check_server(uri, timeout_s)
    elif scheme in _DATABASE_PORTS and "://" in uri:
        _check_database(uri, timeout_s)
    else:
        raise TrackingError(f"tracking URI {uri!r} is not of a known form; give {_FORMS}")


def _check_sqlite(path: Path, uri: str, *, writing: bool) -> None:
    where = f"tracking URI {uri!r}: "
    if path.name == "" or path.is_dir():
        raise TrackingError(
            f"{where}{path} is a folder; give the path of a file in it, as .../mlflow.db"
        )
    if not path.parent.is_dir():
        raise TrackingError(f"{where}the folder {path.parent} does not exist; make it first")
    rights = [os.access(one, os.W_OK) for one in (path.parent, path) if one.exists()]
    if writing and not all(rights):
        raise TrackingError(f"{where}{path} cannot be written to; give another file or its rights")
    if path.exists():
        _check_is_mlflow(path, where)


def _check_is_mlflow(path: Path, where: str) -> None:
    # Opened for writing: a transaction whose process was killed is rolled back by who opens next.
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=5)) as database:
            tables = {name for (name,) in database.execute("select name from sqlite_master")}
    except sqlite3.Error as error:
        raise TrackingError(
            f"{where}{path} is not a SQLite database ({error}); give another, "
            "or move it away: `rotlab run` then fills a new one from the study's journal"
        ) from error
    if tables and "experiments" not in tables:
        raise TrackingError(
            f"{where}{path} is a database of something other than MLflow; give another"
        )


def _check_server(uri: str, timeout_s: float) -> None:
    if not urlsplit(uri).hostname:
        raise TrackingError(f"tracking URI {uri!r} names no host; give http(s)://HOST:PORT")
    health = uri.rstrip("/") + "/health"
    try:
        with urllib.request.urlopen(health, timeout=timeout_s):  # noqa: S310  # scheme is http or https
            return
    except urllib.error.HTTPError as error:
        reason = f"{health} says {error.code} {error.reason}"
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", error))
    raise TrackingError(
        f"no MLflow server answers at {uri} ({reason}); start one with `mlflow server`, "
        "or leave out --tracking-uri"
    )


def _check_database(uri: str, timeout_s: float) -> None:
    try:
        url = make_url(uri)
        url.get_dialect().import_dbapi()
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise TrackingError(
            f"tracking URI {uri.partition(':')[0]}://... is malformed: {error}; give {_FORMS}"
        ) from error
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise TrackingError(
            f"tracking URI {uri.partition(':')[0]}://...: its driver is not installed ({error}); "
            "install it, or leave out --tracking-uri"
        ) from error
    host, port = url.host or "localhost", url.port or _DATABASE_PORTS[url.get_backend_name()]
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError as error:
        raise TrackingError(
            f"no database answers at {host}:{port} ({error}); start it, or leave out --tracking-uri"
        ) from error
