"""MLflow's database, read by SQL: every run of a study in one transaction. Writes nothing, ever."""

import math
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Join,
    column,
    create_engine,
    select,
    table,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from rotlab.tracking.runs import (
    CELL,
    STAGE,
    STAGE_METRICS,
    STUDY,
    TAGS,
    TYPE,
    StudyRuns,
    Which,
    tabulate,
)
from rotlab.tracking.uri import TrackingError, sqlite_path

_RUNS = table(
    "runs",
    *(
        column(name)
        for name in (
            *("run_uuid", "experiment_id", "lifecycle_stage"),
            *("status", "start_time", "end_time"),
        )
    ),
)
_TAGS = table("tags", column("run_uuid"), column("key"), column("value"))
_METRICS = table(
    "latest_metrics", *(column(name) for name in ("run_uuid", "key", "value", "is_nan"))
)
_OF_TYPE = table("tags", column("run_uuid"), column("key"), column("value")).alias("of_type")


class Database:
    """The tables of an MLflow of version 3, whichever database keeps them.

    Args:
        uri: sqlite:///PATH, postgresql://..., mysql://... or mssql://....
        which: whose runs are read.
    """

    def __init__(self, uri: str, which: Which = "all") -> None:
        self._uri = uri
        self._path = sqlite_path(uri)
        self._types = [CELL] if which == "cells" else [STAGE, CELL]

    def stamp(self) -> str | None:
        """Return what is another text after every change to the database; None: it cannot be had.

        Of a SQLite file: inode, size, time of change and header, which counts transactions; of one
        with a write-ahead log the same of the log, and the header of its index, which counts those.
        Take it before reading: a change in between then only makes it look older than what is read.
        """
        if self._path is None:
            return None
        sides = ((self._path, 100), (_beside(self._path, "-wal"), 32))
        states = [_state(path, size) for path, size in sides]
        return "/".join([*states, _head(_beside(self._path, "-shm"), 48)])

    def read(self, study: str) -> StudyRuns | None:
        """Return a study's runs as they are at one moment; None if there is no such study.

        Raises:
            TrackingError: if the database cannot be read, or is not MLflow's.
        """
        with self._connect() as connection:
            experiment = _experiment(connection, study)
            if experiment is None:
                return None
            study_tags = connection.execute(_tags(experiment, _is(STUDY))).all()
            if not study_tags:
                return None
            others = _OF_TYPE.c.value.in_(self._types)
            infos = connection.execute(
                select(_RUNS.c.run_uuid, _RUNS.c.status, _RUNS.c.start_time, _RUNS.c.end_time)
                .select_from(_of_type())
                .where(*_belongs(experiment), others)
            )
            tags = connection.execute(_tags(experiment, others, _TAGS.c.key.in_(list(TAGS))))
            wanted = {CELL: (), STAGE: (_METRICS.c.key.in_(STAGE_METRICS),)}
            values = (
                (run_id, name, math.nan if is_nan else value)
                for type_ in self._types
                for run_id, name, value, is_nan in connection.execute(
                    _values(experiment, _is(type_), *wanted[type_])
                )
            )
            return tabulate(infos, tags, values, study_tags)

    def studies(self) -> list[str]:
        """Return the names of all studies.

        Raises:
            TrackingError: if the database cannot be read, or is not MLflow's.
        """
        with self._connect() as connection:
            names = connection.execute(
                text(
                    "SELECT DISTINCT e.name FROM experiments e JOIN runs r "
                    "ON r.experiment_id = e.experiment_id JOIN tags t ON t.run_uuid = r.run_uuid "
                    "WHERE t.key = :key AND t.value = :value AND e.lifecycle_stage = 'active' "
                    "AND r.lifecycle_stage = 'active'"
                ),
                {"key": TYPE, "value": STUDY},
            )
            return sorted(name for (name,) in names)

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        try:
            if self._path is None:
                engine = create_engine(self._uri, poolclass=NullPool)
                with engine.connect().execution_options(
                    isolation_level="REPEATABLE READ"
                ) as connection:
                    yield connection
            else:
                path = self._path
                engine = create_engine(
                    "sqlite://", creator=lambda: _open_sqlite(path), poolclass=NullPool
                )
                with engine.connect() as connection:
                    connection.exec_driver_sql("BEGIN")
                    yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise TrackingError(
                f"MLflow's database cannot be read: {reason}; looked at {_safe(self._uri)}"
            ) from error


def _open_sqlite(path: Path) -> sqlite3.Connection:
    """Open for reading; `rw` lets SQLite clear up after a writer that died, and makes no file."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw", uri=True, timeout=20, isolation_level=None
    )
    connection.execute("PRAGMA query_only = 1")
    return connection


def _experiment(connection: Connection, study: str) -> int | None:
    """Return the id of the study's experiment, where that is in use."""
    workspace = os.environ.get("MLFLOW_WORKSPACE") or "default"
    rows = connection.execute(text("SELECT * FROM experiments WHERE name = :name"), {"name": study})
    for row in rows.mappings():  # an MLflow without workspaces has no such column
        if row.get("workspace", workspace) == workspace and row["lifecycle_stage"] == "active":
            return int(row["experiment_id"])
    return None


def _of_type() -> Join:
    return _RUNS.join(
        _OF_TYPE, (_OF_TYPE.c.run_uuid == _RUNS.c.run_uuid) & (_OF_TYPE.c.key == TYPE)
    )


def _is(wanted: str) -> ColumnElement[bool]:
    return _OF_TYPE.c.value == wanted


def _belongs(experiment: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _RUNS.c.experiment_id == experiment, _RUNS.c.lifecycle_stage == "active"


def _tags(experiment: int, *which: ColumnElement[bool]) -> Executable:
    return (
        select(_TAGS.c.run_uuid, _TAGS.c.key, _TAGS.c.value)
        .select_from(_of_type().join(_TAGS, _TAGS.c.run_uuid == _RUNS.c.run_uuid))
        .where(*_belongs(experiment), *which)
    )


def _values(experiment: int, *which: ColumnElement[bool]) -> Executable:
    return (
        select(_METRICS.c.run_uuid, _METRICS.c.key, _METRICS.c.value, _METRICS.c.is_nan)
        .select_from(_of_type().join(_METRICS, _METRICS.c.run_uuid == _RUNS.c.run_uuid))
        .where(*_belongs(experiment), *which)
    )


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _state(path: Path, size: int) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return "-"
    times = f"{found.st_ino}.{found.st_size}.{found.st_mtime_ns}"
    return f"{times}.{_head(path, size)}"


def _head(path: Path, size: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(size).hex()
    except FileNotFoundError:
        return "-"


def _safe(uri: str) -> str:
    """Return a URI without its password."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if "@" in rest else uri
