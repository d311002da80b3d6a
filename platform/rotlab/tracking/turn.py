"""Whose turn it is to write a study to MLflow: a lock beside its journal, gone with its holder."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def taking_turn(journal: Path) -> Iterator[str | None]:
    """Hold what only one process may: the writing of a study.

    Args:
        journal: of the study; its folder is made if nothing has been journalled yet.

    Yields:
        None where it is ours until the end, else who has it: "PID on HOST".
    """
    journal.parent.mkdir(parents=True, exist_ok=True)
    with journal.with_suffix(".lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            yield lock.read().strip() or "unknown"
            return
        lock.truncate(0)
        lock.write(f"{os.getpid()} on {os.uname().nodename}")
        lock.flush()
        yield None
