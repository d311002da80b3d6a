"""What is known of a study is brought up to what MLflow holds, by reading as little as is sound.

**A database** (sqlite:///, postgresql:// and so on) gives exactly what it holds. One of SQLite is
not even opened while its file is as it was when last read; any other is read whole.

**A server** tells nobody when a run was last changed, and returns runs only whole, so that without
reading all of them nothing can prove that none was edited. What each query asks it, beside what is
held:

* all runs that are not FINISHED, and those that were not when last looked at;
* all that ended since shortly before the last end known;
* whether as many have been deleted as last time, and which if not;
* whether there are as many as are then known, and for all runs if not.

So runs that are new, at work, newly ended or deleted are seen by every query. A change to a run
that had ended before, a tag edited or a metric logged late, is seen by the next that reads all,
which is one `max_age_s` after the last, or one that is asked to; likewise where one run was
restored and another deleted since the last query, so that both numbers stayed as they were.
"""

import time
from dataclasses import dataclass, replace
from typing import Protocol

import pandas as pd

from rotlab.tracking.runs import StudyRuns, merged

MAX_AGE_S = 600.0
_OVERLAPS_MS = (5_000, 3_600_000)  # clocks of drivers differ, and one that was cut off writes late


@dataclass(frozen=True, slots=True)
class Held:
    """What was last read of a study, and how it is told that it still holds.

    Args:
        found: the runs.
        stamp: of a database's file, before it was read; None for a server.
        experiment: its id on a server; None for a database.
        read_s: when all runs were last read, in seconds since the epoch.
        countable: whether the server can be asked for the number of runs.
        deleted: how many runs had been deleted.
    """

    found: StudyRuns
    stamp: str | None = None
    experiment: str | None = None
    read_s: float = 0.0
    countable: bool = False
    deleted: int = 0


class Tables(Protocol):
    """What is asked of a database."""

    def stamp(self) -> str | None:
        """Return what changes with every change; None where there is no such thing."""

    def read(self, study: str) -> StudyRuns | None:
        """Return a study's runs; None if there is no such study."""


class Service(Protocol):
    """What is asked of a server."""

    def experiment(self, study: str) -> str | None:
        """Return the id of a study's experiment, None if there is none."""

    def study_tags(self, experiment: str) -> dict[str, str] | None:
        """Return the tags of the study's own run, None if there is none."""

    def read(self, experiment: str, tags: dict[str, str]) -> StudyRuns:
        """Return all runs."""

    def select(self, experiment: str, filter_: str) -> StudyRuns:
        """Return the runs that a filter selects."""

    def by_id(self, experiment: str, ids: list[str]) -> StudyRuns:
        """Return those of these runs that are there."""

    def deleted(self, experiment: str) -> list[str]:
        """Return the ids of deleted runs."""

    def counts(self, experiment: str) -> bool:
        """Say whether `holds` can be asked."""

    def holds(self, experiment: str, number: int, *, deleted: bool = False) -> bool:
        """Say whether there are just so many runs, or so many deleted ones."""


def follow_database(database: Tables, study: str, held: Held | None) -> Held | None:
    """Return what a database holds of a study now; None if there is no such study."""
    stamp = database.stamp()
    if held is not None and stamp is not None and held.stamp == stamp:
        return held
    found = database.read(study)
    return None if found is None else Held(found, stamp=stamp)


def follow_server(
    server: Service,
    study: str,
    held: Held | None,
    max_age_s: float = MAX_AGE_S,
    now_s: float | None = None,
) -> Held | None:
    """Return what a server holds of a study now, as the module says; None if it holds none."""
    now_s = time.time() if now_s is None else now_s
    experiment = server.experiment(study)
    tags = None if experiment is None else server.study_tags(experiment)
    if experiment is None or tags is None:
        return None
    if (
        held is not None
        and held.countable
        and held.experiment == experiment
        and 0 <= now_s - held.read_s <= max_age_s
    ):
        now = _caught_up(server, experiment, held)
        if now is not None:
            return replace(now, found=StudyRuns(tags, now.found.runs))
    countable = server.counts(experiment)
    no_deleted = not countable or server.holds(experiment, 0, deleted=True)
    return Held(
        deleted=0 if no_deleted else len(server.deleted(experiment)),
        found=server.read(experiment, tags),
        experiment=experiment,
        read_s=now_s,
        countable=countable,
    )


def _caught_up(server: Service, experiment: str, held: Held) -> Held | None:
    """Return what is held with what changed; None if what is there cannot be made out so."""
    runs, deleted = held.found.runs, held.deleted
    for overlap_ms in _OVERLAPS_MS:
        runs = _refreshed(server, experiment, runs, overlap_ms)
        if not server.holds(experiment, deleted, deleted=True):
            gone = server.deleted(experiment)
            runs, deleted = merged(runs, gone, runs.iloc[:0]), len(gone)
        if server.holds(experiment, len(runs)):
            return replace(held, found=StudyRuns(held.found.tags, runs), deleted=deleted)
    return None


def _refreshed(
    server: Service, experiment: str, runs: pd.DataFrame, overlap_ms: int
) -> pd.DataFrame:
    unfinished = server.select(experiment, "attributes.status != 'FINISHED'").runs
    last_ms = runs["end_ms"].max()
    since = 0 if pd.isna(last_ms) else int(last_ms) - overlap_ms
    ended = server.select(experiment, f"attributes.end_time >= {since}").runs
    read = merged(unfinished, [], ended)  # what ended between the two calls is taken as ended
    was_open = runs.loc[runs["status"] != "FINISHED", "run_id"]
    unseen = [run_id for run_id in was_open if run_id not in set(read["run_id"])]
    read = merged(read, [], server.by_id(experiment, unseen).runs)
    return merged(runs, unseen, read)
