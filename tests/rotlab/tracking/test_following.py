"""Following a server, against one that keeps runs in memory and counts what it is asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from rotlab.tracking.following import Held, follow_database, follow_server
from rotlab.tracking.runs import METRIC, StudyRuns, tabulate


@dataclass
class MemoryServer:
    """Runs by id: status, start, end, whether deleted, state, and a metric."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    countable: bool = True
    full_reads: int = 0

    def add(
        self, run_id: str, status: str = "FINISHED", end_ms: int | None = 0, **more: Any
    ) -> None:
        run = {"status": status, "end_ms": end_ms, "state": status, "accuracy": 0.5, "gone": False}
        self.runs[run_id] = run | more

    def experiment(self, study: str) -> str | None:
        return "1" if study == "small" else None

    def study_tags(self, experiment: str) -> dict[str, str] | None:
        assert experiment == "1"
        return {"rotlab.question": "?"}

    def read(self, experiment: str, tags: dict[str, str]) -> StudyRuns:
        assert experiment == "1"
        self.full_reads += 1
        return StudyRuns(tags, self._table(lambda _id, _run: True).runs)

    def select(self, experiment: str, filter_: str) -> StudyRuns:
        assert experiment == "1"
        if filter_ == "attributes.status != 'FINISHED'":
            return self._table(lambda _id, run: run["status"] != "FINISHED")
        since = int(filter_.removeprefix("attributes.end_time >= "))
        return self._table(lambda _id, run: run["end_ms"] is not None and run["end_ms"] >= since)

    def by_id(self, experiment: str, ids: list[str]) -> StudyRuns:
        assert experiment == "1"
        return self._table(lambda run_id, _run: run_id in ids)

    def deleted(self, experiment: str) -> list[str]:
        assert experiment == "1"
        return [run_id for run_id, run in self.runs.items() if run["gone"]]

    def counts(self, experiment: str) -> bool:
        assert experiment == "1"
        return self.countable

    def holds(self, experiment: str, number: int, *, deleted: bool = False) -> bool:
        assert experiment == "1"
        return sum(run["gone"] is deleted for run in self.runs.values()) == number

    def _table(self, which: Callable[[str, dict[str, Any]], bool]) -> StudyRuns:
        found = {
            run_id: run
            for run_id, run in self.runs.items()
            if not run["gone"] and which(run_id, run)
        }
        return tabulate(
            [(run_id, run["status"], 0, run["end_ms"]) for run_id, run in found.items()],
            [(run_id, "rotlab.state", run["state"]) for run_id, run in found.items()],
            [(run_id, "accuracy", run["accuracy"]) for run_id, run in found.items()],
            [],
        )


HOUR_MS = 3_600_000


@pytest.fixture
def server() -> MemoryServer:
    server = MemoryServer()
    for number in range(20):
        server.add(f"run-{number:02}", end_ms=number * HOUR_MS)
    server.add("open", status="RUNNING", end_ms=None)
    return server


def _follow(server: MemoryServer, held: Held | None, now_s: float = 1.0) -> Held:
    found = follow_server(server, "small", held, max_age_s=600, now_s=now_s)
    assert found is not None
    return found


def _seen(held: Held) -> dict[str, tuple[str, str, float]]:
    runs = held.found.runs
    columns = (runs[name] for name in ("status", "state", f"{METRIC}accuracy"))
    return dict(zip(runs["run_id"], zip(*columns, strict=True), strict=True))


def _is(held: Held, server: MemoryServer) -> bool:
    there = {run_id: run for run_id, run in server.runs.items() if not run["gone"]}
    return _seen(held) == {
        run_id: (run["status"], run["state"], run["accuracy"]) for run_id, run in there.items()
    }


def test_what_has_not_changed_is_not_read_again(server: MemoryServer) -> None:
    held = _follow(server, _follow(server, None))
    assert _is(held, server)
    assert server.full_reads == 1


def _begins(server: MemoryServer) -> None:
    server.add("new", status="RUNNING", end_ms=None)


def _began_and_ended(server: MemoryServer) -> None:
    server.add("new", end_ms=20 * HOUR_MS)


def _was_written_a_little_late(server: MemoryServer) -> None:
    server.add("new", end_ms=19 * HOUR_MS - 60_000)


def _ended_at_an_earlier_time(server: MemoryServer) -> None:
    server.runs["open"].update(status="FINISHED", state="FINISHED", end_ms=5, accuracy=0.75)


def _goes_on(server: MemoryServer) -> None:
    server.runs["open"]["accuracy"] = 0.75


def _is_opened_again(server: MemoryServer) -> None:
    server.runs["run-03"].update(status="RUNNING", state="RUNNING")


def _is_deleted(server: MemoryServer) -> None:
    server.runs["run-03"]["gone"] = True


def _is_deleted_while_another_begins(server: MemoryServer) -> None:
    _is_deleted(server)
    _begins(server)


def _is_deleted_while_open(server: MemoryServer) -> None:
    server.runs["open"]["gone"] = True


@pytest.mark.parametrize(
    "change",
    [
        _begins,
        _began_and_ended,
        _was_written_a_little_late,
        _ended_at_an_earlier_time,
        _goes_on,
        _is_opened_again,
        _is_deleted,
        _is_deleted_while_another_begins,
        _is_deleted_while_open,
    ],
)
def test_runs_that_change_their_standing_are_seen_without_reading_all(
    server: MemoryServer, change: Callable[[MemoryServer], None]
) -> None:
    held = _follow(server, None)
    change(server)
    held = _follow(server, held)
    assert _is(held, server)
    assert server.full_reads == 1


def _written_late(server: MemoryServer) -> None:
    server.add("new", end_ms=0)


def _removed_for_good(server: MemoryServer) -> None:
    del server.runs["run-03"]


def _written_late_while_one_is_deleted(server: MemoryServer) -> None:
    _written_late(server)
    _is_deleted(server)


@pytest.mark.parametrize(
    "change", [_written_late, _removed_for_good, _written_late_while_one_is_deleted]
)
def test_a_number_of_runs_that_cannot_be_explained_has_all_read(
    server: MemoryServer, change: Callable[[MemoryServer], None]
) -> None:
    held = _follow(server, None)
    change(server)
    held = _follow(server, held)
    assert _is(held, server)
    assert server.full_reads == 2


def test_a_restored_run_comes_back(server: MemoryServer) -> None:
    held = _follow(server, None)
    _is_deleted(server)
    held = _follow(server, held)
    server.runs["run-03"]["gone"] = False
    assert _is(_follow(server, held), server)


def test_edits_of_runs_that_had_ended_are_seen_once_all_is_read(server: MemoryServer) -> None:
    held = _follow(server, None, now_s=1.0)
    server.runs["run-03"].update(state="KILLED", accuracy=0.125)
    assert not _is(_follow(server, held, now_s=600.0), server)
    assert _is(_follow(server, held, now_s=602.0), server)
    assert _is(_follow(server, None, now_s=600.0), server)


def test_a_clock_that_was_set_back_has_all_read(server: MemoryServer) -> None:
    held = _follow(server, None, now_s=1000.0)
    server.runs["run-03"]["accuracy"] = 0.125
    assert _is(_follow(server, held, now_s=999.0), server)


def test_a_server_that_cannot_count_is_read_whole_each_time(server: MemoryServer) -> None:
    server.countable = False
    held = _follow(server, None)
    server.runs["run-03"]["accuracy"] = 0.125
    assert _is(_follow(server, held), server)


def test_many_changes_in_any_order_end_in_what_the_server_holds(server: MemoryServer) -> None:
    random = np.random.default_rng(0)
    held = _follow(server, None)
    for turn in range(60):
        for number in range(random.integers(4)):
            _change(server, f"new-{turn}-{number}", random)
        held = _follow(server, held)
        assert _is(held, server)
    assert server.full_reads < 30


def _change(server: MemoryServer, new: str, random: np.random.Generator) -> None:
    """Begin a run, write one late, go on with one that is open, end it, or delete one."""
    is_open = [run_id for run_id, run in server.runs.items() if run["status"] == "RUNNING"]
    match random.integers(5):
        case 0:
            server.add(new, status="RUNNING", end_ms=None)
        case 1:
            server.add(new, end_ms=int(random.integers(20 * HOUR_MS)))
        case 2 if is_open:
            server.runs[is_open[0]]["accuracy"] = float(random.random())
        case 3 if is_open:
            end_ms = int(random.integers(20 * HOUR_MS))
            server.runs[is_open[-1]].update(status="FINISHED", state="FINISHED", end_ms=end_ms)
        case 4:
            there = [run_id for run_id, run in server.runs.items() if not run["gone"]]
            server.runs[random.choice(there)]["gone"] = True


def test_a_study_that_is_not_there_is_none(server: MemoryServer) -> None:
    assert follow_server(server, "other", None) is None


class _File:
    """A database whose stamp is set by hand."""

    def __init__(self, stamp: str | None) -> None:
        self.state = stamp
        self.reads = 0

    def stamp(self) -> str | None:
        return self.state

    def read(self, study: str) -> StudyRuns | None:
        assert study == "small"
        self.reads += 1
        return tabulate([], [], [], [])


@pytest.mark.parametrize(("stamps", "reads"), [("aa", 1), ("ab", 2), ((None, None), 2)])
def test_a_database_is_read_again_unless_its_stamp_is_the_same(
    stamps: tuple[str | None, str | None], reads: int
) -> None:
    database = _File(stamps[0])
    held = follow_database(database, "small", None)
    database.state = stamps[1]
    follow_database(database, "small", held)
    assert database.reads == reads
