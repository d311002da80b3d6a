"""What the writer does with trouble, in this process."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.tracking import sender as sender_module
from rotlab.tracking import writer as writer_module
from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Event, Journal, JournalError
from rotlab.tracking.mlflow_runs import StudyRuns
from rotlab.tracking.position import read_position
from rotlab.tracking.run_write import RunWrite
from rotlab.tracking.writer import Orders, write
from tests.rotlab.tracking.story import events_of, runs_of


class Writer:
    """A writer in a thread, and what it has said."""

    def __init__(self, errand: Errand) -> None:
        self.said: list[str | None] = []
        self.orders = Orders(None)
        self._thread = threading.Thread(target=write, args=(errand, self.orders, self.said.append))
        self._thread.start()

    def wait_for(self, problem: str | None) -> None:
        deadline = time.monotonic() + 10
        while not self.said or self.said[-1] != problem:
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)

    def close(self) -> None:
        self.orders.close()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def plan(study: Callable[..., Plan]) -> Plan:
    return study(fusion=False)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "GATHER_S", 0.05)


def fill(journal: Journal, events: list[Event]) -> None:
    for event in events:
        journal.append(event)


def unsent(journal: Journal, uri: str) -> int:
    return len(journal.read_from(read_position(journal.path, uri, journal.size())))


class Away(StudyRuns):
    """A server that is away, and comes back."""

    is_away = True

    def apply(self, write: RunWrite) -> None:
        if Away.is_away:
            raise OSError("connection refused\nand much more")
        super().apply(write)


def test_a_server_that_comes_back_gets_everything_from_the_same_writer(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Away.is_away = True
    monkeypatch.setattr(sender_module, "StudyRuns", Away)
    writer = Writer(Errand(plan, journal.path, uri))
    fill(journal, events_of(plan))
    writer.wait_for("connection refused")
    Away.is_away = False
    writer.close()
    assert writer.said[-1] is None
    assert unsent(journal, uri) == 0
    assert len(runs_of(uri)) == 1 + len(plan.stages) + len(plan.cells)


@pytest.mark.parametrize(("patience_s", "is_sent"), [(60.0, True), (0.5, False)])
def test_a_server_that_has_answered_is_waited_for_at_the_end_but_not_for_long(
    plan: Plan,
    journal: Journal,
    uri: str,
    monkeypatch: pytest.MonkeyPatch,
    patience_s: float,
    *,
    is_sent: bool,
) -> None:
    monkeypatch.setattr(Away, "is_away", False)
    monkeypatch.setattr(sender_module, "StudyRuns", Away)
    monkeypatch.setattr(writer_module, "RESTARTS_S", patience_s)
    first, *rest = events_of(plan)
    fill(journal, [first])
    writer = Writer(Errand(plan, journal.path, uri))
    writer.wait_for(None)
    Away.is_away = True
    fill(journal, rest)
    writer.wait_for("connection refused")
    writer.orders.close()
    time.sleep(1.0)
    Away.is_away = not is_sent
    writer.close()
    assert (writer.said[-1] is None) is is_sent
    assert unsent(journal, uri) == (0 if is_sent else len(rest))


def test_a_fault_of_our_own_is_told_in_a_line_and_loses_nothing(
    plan: Plan, journal: Journal, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> StudyRuns:
        raise KeyError("surprise")

    monkeypatch.setattr(sender_module, "StudyRuns", faulty)
    fill(journal, events_of(plan))
    writer = Writer(Errand(plan, journal.path, uri))
    writer.close()
    assert writer.said[-1] == "KeyError: 'surprise'"
    assert unsent(journal, uri) == len(events_of(plan))


def test_what_comes_later_is_sent_without_being_asked_for(
    plan: Plan, journal: Journal, uri: str
) -> None:
    events = events_of(plan)
    fill(journal, events[:3])
    writer = Writer(Errand(plan, journal.path, uri))
    writer.wait_for(None)
    fill(journal, events[3:])
    deadline = time.monotonic() + 10
    while unsent(journal, uri):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    writer.close()


def test_two_never_write_at_once(plan: Plan, journal: Journal, uri: str) -> None:
    fill(journal, events_of(plan)[:1])
    first = Writer(Errand(plan, journal.path, uri))
    first.wait_for(None)
    second = Writer(Errand(plan, journal.path, uri))
    while not second.said:
        time.sleep(0.02)
    assert "is still writing the study to it" in str(second.said[0])
    assert None not in second.said
    first.close()
    second.wait_for(None)
    second.close()


def test_what_a_driver_with_another_plan_adds_is_left_to_its_own_writer(
    plan: Plan, study: Callable[..., Plan], journal: Journal, uri: str
) -> None:
    whole = study()
    fill(journal, [{**event, "revision": 1} for event in events_of(plan)])
    end = journal.size()
    fill(journal, [{**event, "revision": 2} for event in events_of(whole, start=2000.0)])
    old = Writer(Errand(plan, journal.path, uri, revision=1))
    old.close()
    assert read_position(journal.path, uri, journal.size()) == end
    new = Writer(Errand(whole, journal.path, uri, revision=2, begin=end))
    new.close()
    assert unsent(journal, uri) == 0
    runs = runs_of(uri)
    assert {f"stage:{key}" for key in whole.stages} < runs.keys()
    assert {run.info.status for run in runs.values()} == {"FINISHED"}


def test_a_damaged_journal_is_an_error(plan: Plan, tmp_path: Path, uri: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "study_started", "time": 1}\nnonsense\n{"event": "x"}\n')
    path.with_suffix(".sent").write_text(f'{{"uri": "{uri}", "offset": {path.stat().st_size}}}')
    orders = Orders(None)
    orders.close()
    with pytest.raises(JournalError, match="damaged at byte 38"):
        write(Errand(plan, path, uri), orders, lambda _: None)
