import errno
import os
from pathlib import Path

import pytest

from rotlab.tracking.journal import Journal, JournalError


def _event(number: int) -> dict[str, object]:
    return {"event": "stage_metrics", "number": number}


def test_events_come_back_in_order(journal: Journal) -> None:
    for number in range(5):
        journal.append(_event(number))
    assert journal.read() == [_event(number) for number in range(5)]


def test_an_event_is_in_the_file_when_append_returns(journal: Journal) -> None:
    journal.append(_event(1))
    assert Journal(journal.path).read() == [_event(1)]


def test_a_missing_journal_reads_as_empty_and_is_not_made(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "none" / "journal.jsonl")
    assert journal.read() == []
    assert not journal.path.parent.exists()


@pytest.mark.parametrize("kept", range(1, 12))
def test_a_torn_last_line_is_not_read_and_the_next_append_mends_it(
    tmp_path: Path, kept: int
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(_event(1))
    journal.close()
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[:kept])
    again = Journal(journal.path)
    assert again.read() == [_event(1)]
    again.append(_event(2))
    again.close()
    assert again.read() == [_event(1), _event(2)]


def test_a_last_line_that_lacks_only_its_newline_counts_as_torn(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event":"a"}\n{"event":"b"}')
    assert Journal(path).read() == [{"event": "a"}]


def test_a_damaged_line_in_the_middle_is_one_error_that_names_its_place(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event":"a"}\n{"event":\n{"event":"b"}\n')
    with pytest.raises(JournalError, match=r"journal.jsonl: damaged at byte 14") as caught:
        Journal(path).read()
    assert "\n" not in str(caught.value)


def test_reading_on_from_the_end_of_each_event_misses_and_repeats_nothing(journal: Journal) -> None:
    for number in range(7):
        journal.append(_event(number))
    found, offset = [], 0
    while batch := journal.read_from(offset, limit=2):
        assert len(batch) <= 2
        found += [event for event, _ in batch]
        offset = batch[-1][1]
    assert found == journal.read()


def test_a_closed_journal_takes_nothing_more(journal: Journal) -> None:
    journal.append(_event(1))
    journal.close()
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.append(_event(2))


def test_half_a_line_that_a_full_disk_took_is_not_joined_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append({"event": "a"})

    def fill(descriptor: int, data: bytes) -> int:
        monkeypatch.undo()
        os.write(descriptor, data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fill)
    with pytest.raises(OSError, match="No space left"):
        journal.append({"event": "lost"})
    journal.append({"event": "b"})
    journal.close()
    assert [event["event"] for event in journal.read()] == ["a", "b"]
