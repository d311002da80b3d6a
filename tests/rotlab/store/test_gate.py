"""Removal waits for those who count on results, and they for it."""

import multiprocessing
import threading
from pathlib import Path

import pytest

from rotlab.store.gate import counting, removing
from rotlab.store.layout import GATE
from rotlab.store.store import Store
from rotnet.errors import UserError


@pytest.fixture
def root(place: str) -> Path:
    """Return the folder that is a store, or stands for one."""
    found = Store.open(place).root
    found.mkdir(parents=True)
    return found


def test_several_may_count_at_once(root: Path) -> None:
    with counting(root), counting(root):
        pass


def test_nothing_is_removed_while_somebody_counts(root: Path) -> None:
    with (
        counting(root),
        pytest.raises(UserError, match="try again once that is over"),
        removing(root, wait_s=0.1),
    ):
        pass
    with removing(root, wait_s=0.1):
        pass


def test_two_do_not_remove_at_once(root: Path) -> None:
    with removing(root), pytest.raises(UserError), removing(root, wait_s=0.1):
        pass


def test_who_counts_waits_for_a_removal(root: Path) -> None:
    told: list[str] = []

    def count() -> None:
        with counting(root):
            told.append("counted")

    with removing(root):
        waiting = threading.Thread(target=count)
        waiting.start()
        waiting.join(0.2)
        told.append("removed")
    waiting.join(10)
    assert told == ["removed", "counted"]


def _hold(root: Path, ready: object) -> None:
    with removing(root):
        ready.set()  # type: ignore[attr-defined]
        threading.Event().wait(60)


def test_who_was_killed_while_removing_keeps_nobody_out(root: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=_hold, args=(root, ready))
    process.start()
    assert ready.wait(20)
    process.kill()
    process.join(20)
    with removing(root, wait_s=5):
        pass


def test_in_a_store_that_is_only_read_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, mode: str = "r", **_: object) -> None:
        raise FileNotFoundError(self) if mode == "r" else PermissionError(self)

    monkeypatch.setattr(Path, "open", refuse)
    with counting(tmp_path):
        pass
    assert not (tmp_path / GATE).exists()
