"""MLflow's database, read by SQL: every run of a study in one transaction. Writes nothing, ever."""

import math
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from rotlab.tracking.runs import (
    CELL,
    STAGE,
    STAGE_METRICS,
    STUDY,
    TAGS,
    TYPE,
    RunRow,
    StudyRuns,
    Which,
    tabulate,
)
from rotlab.tracking.tables import PARAMS, history_of, infos_of, tags_of, values_of
from rotlab.tracking.uri import TrackingError, sqlite_path


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
            study_tags = connection.execute(tags_of(experiment, [STUDY])).all()
            if not study_tags:
                return None
            infos = connection.execute(infos_of(experiment, self._types))
            tags = connection.execute(tags_of(experiment, self._types, keys=list(TAGS)))
            wanted = {CELL: None, STAGE: STAGE_METRICS}
            values = (
                (run_id, name, math.nan if is_nan else value)
                for type_ in self._types
                for run_id, name, value, is_nan in connection.execute(
                    values_of(experiment, [type_], keys=wanted[type_])
                )
            )
            return tabulate(infos, tags, values, study_tags)

    def stages(self, study: str) -> list[RunRow] | None:
        """Return the runs of a study's stages, whole; None if there is no such study.

        Raises:
            TrackingError: if the database cannot be read, or is not MLflow's.
        """
        with self._connect() as connection:
            experiment = _experiment(connection, study)
            if experiment is None:
                return None
            rows = {
                run_id: RunRow(run_id, start, end, {}, {}, {})
                for run_id, _, start, end in connection.execute(infos_of(experiment, [STAGE]))
            }
            for run_id, key, said in connection.execute(tags_of(experiment, [STAGE])):
                rows[run_id].tags[key] = said or ""
            for run_id, key, value, is_nan in connection.execute(values_of(experiment, [STAGE])):
                rows[run_id].metrics[key] = math.nan if is_nan else value
            for run_id, key, said in connection.execute(tags_of(experiment, [STAGE], of=PARAMS)):
                rows[run_id].params[key] = said
            return list(rows.values())

    def curves(
        self, run_ids: Sequence[str], metrics: Sequence[str]
    ) -> dict[tuple[str, str], dict[int, float]]:
        """Return run and metric -> its values by step, of a step the last.

        Raises:
            TrackingError: if the database cannot be read, or is not MLflow's.
        """
        found: dict[tuple[str, str], dict[int, float]] = {}
        with self._connect() as connection:
            rows = connection.execute(history_of(run_ids, metrics))
            for run_id, metric, step, value, is_nan in rows:
                found.setdefault((run_id, metric), {})[step] = math.nan if is_nan else value
        return found

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
