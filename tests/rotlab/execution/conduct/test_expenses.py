"""What other runs have used is what their journals come to, though each event is read once."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotlab.execution.conduct.budget import Rates, Usage, spent
from rotlab.execution.conduct.expenses import Expenses
from rotlab.tracking.journal import Journal
from tests.rotlab.execution.conduct.test_budget import ended, started, study

RATES = Rates(3.0, 0.25, "EUR")
OWN, MAIN, BESIDE = "journal-1-aa.jsonl", "journal.jsonl", "journal-2-bb.jsonl"


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def told(expenses: Expenses, folder: Path) -> Usage:
    return expenses.beside(folder / OWN, folder / MAIN, sorted(folder.glob("journal*.jsonl")))


def whole(folder: Path) -> Usage:
    """The same from the start of every journal."""
    others = [path for path in sorted(folder.glob("journal*.jsonl")) if path.name != OWN]
    used = spent((Journal(path).read() for path in others), RATES)
    return replace(used, wall_hours=spent([Journal(folder / MAIN).read()]).wall_hours)


def is_equal(one: Usage, other: Usage) -> bool:
    return asdict(one) == pytest.approx(asdict(other))


def chapter(hour: int, attempt: str) -> bytes:
    """An attempt of two hours on a GPU."""
    return lines(started(hour, attempt, gpus=1.0), ended(hour + 2, attempt))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["append", "half", "cut", "anew", "remove", "replace"]),
        st.sampled_from([OWN, MAIN, BESIDE]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_becomes_of_journals_it_is_what_they_come_to(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    folder, expenses = tmp_path_factory.mktemp("study"), Expenses(RATES)
    for number, (step, name) in enumerate(steps):
        path, attempt = folder / name, f"a{number}"
        before = path.read_bytes() if path.exists() else b""
        match step:
            case "append":
                journal = Journal(path)  # which cuts a torn line off first
                for line in chapter(number, attempt).splitlines():
                    journal.append(json.loads(line))
                journal.close()
            case "half":
                path.write_bytes(before[: before.rfind(b"\n") + 1] + chapter(number, attempt)[:-5])
            case "cut":
                path.write_bytes(b"".join(before.splitlines(keepends=True)[:1]))
            case "anew":
                path.write_bytes(lines(study(number, "started")) + chapter(number, attempt) * 2)
            case "remove":
                path.unlink(missing_ok=True)
            case "replace" if before:
                shutil.copy(path, folder / "aside")
                (folder / "aside").replace(path)
        assert is_equal(told(expenses, folder), whole(folder))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each reading gave."""
    numbers: list[int] = []
    read_from = Journal.read_from

    def counted(self: Journal, offset: int, limit: int | None = None) -> Any:
        found = read_from(self, offset, limit)
        numbers.append(len(found))
        return found

    monkeypatch.setattr(Journal, "read_from", counted)
    return numbers


def test_each_event_is_read_once(tmp_path: Path, read: list[int]) -> None:
    expenses, path = Expenses(RATES), tmp_path / MAIN
    for number in range(5):
        with path.open("ab") as file:
            file.write(chapter(number, f"a{number}"))
        told(expenses, tmp_path)
    assert read == [2] * 5


def test_a_journal_that_was_begun_anew_is_read_from_its_start(
    tmp_path: Path, read: list[int]
) -> None:
    expenses, path = Expenses(RATES), tmp_path / MAIN
    path.write_bytes(chapter(0, "a"))
    assert told(expenses, tmp_path).gpu_hours == 2.0
    path.write_bytes(chapter(5, "b") + chapter(7, "c"))
    assert told(expenses, tmp_path).gpu_hours == 4.0
    assert read == [2, 4]
