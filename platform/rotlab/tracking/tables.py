"""MLflow's tables, and what is asked of them, as SQL. No connection."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Executable, Join, TableClause, column, select, table

from rotlab.tracking.runs import TYPE

_NAMED = ("run_uuid", "key", "value")
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
_TAGS = table("tags", *map(column, _NAMED))
PARAMS = table("params", *map(column, _NAMED))
_METRICS = table("latest_metrics", *map(column, (*_NAMED, "is_nan")))
_HISTORY = table("metrics", *map(column, (*_NAMED, "timestamp", "step", "is_nan")))
_OF_TYPE = table("tags", *map(column, _NAMED)).alias("of_type")


def infos_of(experiment: int, types: Collection[str]) -> Executable:
    """Ask for run, status, start and end of the runs of some types."""
    return (
        select(_RUNS.c.run_uuid, _RUNS.c.status, _RUNS.c.start_time, _RUNS.c.end_time)
        .select_from(_of_type())
        .where(*_belongs(experiment, types))
    )


def tags_of(
    experiment: int,
    types: Collection[str],
    *,
    keys: Collection[str] | None = None,
    of: TableClause = _TAGS,
) -> Executable:
    """Ask for run, key and value of the tags (or parameters) of runs; of some keys, or of all."""
    return (
        select(of.c.run_uuid, of.c.key, of.c.value)
        .select_from(_of_type().join(of, of.c.run_uuid == _RUNS.c.run_uuid))
        .where(*_belongs(experiment, types), *_among(of, keys))
    )


def values_of(
    experiment: int, types: Collection[str], *, keys: Collection[str] | None = None
) -> Executable:
    """Ask for run, metric, last value and whether that is NaN; of some metrics, or of all."""
    return (
        select(_METRICS.c.run_uuid, _METRICS.c.key, _METRICS.c.value, _METRICS.c.is_nan)
        .select_from(_of_type().join(_METRICS, _METRICS.c.run_uuid == _RUNS.c.run_uuid))
        .where(*_belongs(experiment, types), *_among(_METRICS, keys))
    )


def history_of(run_ids: Collection[str], metrics: Collection[str]) -> Executable:
    """Ask for run, metric, step, value and whether that is NaN, in the order of their times."""
    names = ("run_uuid", "key", "step", "value", "is_nan")
    return (
        select(*(_HISTORY.c[name] for name in names))
        .where(_HISTORY.c.run_uuid.in_(run_ids), _HISTORY.c.key.in_(metrics))
        .order_by(_HISTORY.c.timestamp, _HISTORY.c.step, _HISTORY.c.value)
    )


def _of_type() -> Join:
    return _RUNS.join(
        _OF_TYPE, (_OF_TYPE.c.run_uuid == _RUNS.c.run_uuid) & (_OF_TYPE.c.key == TYPE)
    )


def _belongs(experiment: int, types: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    active = _RUNS.c.lifecycle_stage == "active"
    return _RUNS.c.experiment_id == experiment, active, _OF_TYPE.c.value.in_(types)


def _among(of: TableClause, keys: Collection[str] | None) -> tuple[ColumnElement[bool], ...]:
    return () if keys is None else (of.c.key.in_(keys),)
