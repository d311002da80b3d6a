"""Finished attempts at a stage, and their records."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rotlab.store.record import Record
from rotlab.store.store import Store, checksums
from tests.rotlab.execution.lab import make_stage

STAGE = make_stage("count", name="a")


def make_record(attempt: Path, **changes: Any) -> Record:
    """Return the record of an attempt at the stage, as its folder is now."""
    record = Record(
        key=STAGE.key,
        kind=STAGE.kind,
        attempt=attempt.name,
        metrics={"accuracy": 0.5},
        files=checksums(attempt),
        seconds=1.5,
        config={"name": "a"},
        inputs={},
        data=({"name": "ucf101", "role": "train", "split": 1, "fingerprint": "f"},),
        versions={"python": "3"},
        host="here",
        device="cpu",
        commit=None,
        started="2025-01-01T00:00:00+00:00",
        ended="2025-01-01T00:00:01+00:00",
    )
    return replace(record, **changes)


def a_record(store: Store, content: bytes = b"weights", **changes: Any) -> tuple[Path, Record]:
    """Return a finished attempt, and the record that is to be committed."""
    attempt = store.new_attempt(STAGE)
    (attempt / "network.pt").write_bytes(content)
    return attempt, make_record(attempt, **changes)


def committed(store: Store, content: bytes = b"weights", **changes: Any) -> Record:
    """Return the record of the stage's result, which is this one if it is the first."""
    return store.commit(STAGE, *a_record(store, content, **changes))
