"""Leases: one holder at a time, and no hold outlives its holder for long."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rotlab.execution.conduct.elsewhere import Elsewhere
from rotlab.store.lease import BEATS, STALE_S, HeldElsewhereError, Lease


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lease.json"


def take(path: Path, attempt: str, stale: str | None = None) -> Lease:
    return Lease(path, attempt, stale, lambda: True)


def test_a_stage_is_held_by_one_at_a_time(path: Path) -> None:
    with take(path, "a"):
        with pytest.raises(HeldElsewhereError) as held, take(path, "b"):
            pass
        assert json.loads(str(held.value))["attempt"] == "a"
    with take(path, "b"):
        pass
    assert list(path.parent.iterdir()) == []


def test_a_hold_is_kept_up_while_there_are_signs_of_life(path: Path) -> None:
    alive = True
    with Lease(path, "a", None, lambda: alive, stale_s=0.06):
        before = path.read_text()
        wait_for(lambda: path.read_text() != before)
        alive = False
        time.sleep(0.05)
        still = path.read_text()
        time.sleep(0.1)
        assert path.read_text() == still


def test_what_nobody_keeps_up_is_taken_over_and_its_holder_lets_it_be(path: Path) -> None:
    with Lease(path, "a", None, lambda: False, stale_s=0.06):
        with take(path, "b", stale=path.read_text()):
            time.sleep(0.05)
            assert json.loads(path.read_text())["attempt"] == "b"
        assert not path.exists()


def test_another_text_than_the_stale_one_is_respected(path: Path) -> None:
    with take(path, "a"), pytest.raises(HeldElsewhereError), take(path, "b", stale="{}"):
        pass


def test_the_hold_of_a_process_that_is_gone_is_none(path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from rotlab.store.lease import Lease;"
        "Lease(Path(sys.argv[1]), 'a', None, lambda: True).__enter__(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)  # noqa: S603
    assert json.loads(path.read_text())["attempt"] == "a"
    with take(path, "b"):
        assert json.loads(path.read_text())["attempt"] == "b"


def test_a_hold_on_another_machine_is_respected(path: Path) -> None:
    path.write_text(json.dumps({"attempt": "a", "host": "elsewhere", "process": 2**22, "beat": 3}))
    with pytest.raises(HeldElsewhereError), take(path, "b"):
        pass


@pytest.mark.parametrize("torn", ["", "{", "[]"])
def test_a_torn_lease_is_respected_until_it_is_stale(path: Path, torn: str) -> None:
    path.write_text(torn)
    with pytest.raises(HeldElsewhereError), take(path, "b"):
        pass
    with take(path, "b", stale=torn):
        pass


def test_a_lease_that_stays_the_same_is_stale_on_the_observers_own_clock() -> None:
    elsewhere = Elsewhere()
    assert elsewhere.is_due("key", 0.0)
    elsewhere.note("key", "beat 1", 0.0)
    assert not elsewhere.is_due("key", STALE_S / BEATS - 1)
    assert elsewhere.is_due("key", STALE_S / BEATS)
    elsewhere.note("key", "beat 2", STALE_S)
    assert elsewhere.stale("key", STALE_S + 1) is None
    assert not elsewhere.is_due("key", STALE_S + STALE_S / BEATS)  # it is kept up: less often
    assert elsewhere.is_due("key", STALE_S + 2 * STALE_S / BEATS)
    elsewhere.note("key", "beat 2", STALE_S + 10)
    assert elsewhere.stale("key", 2 * STALE_S) == "beat 2"


def wait_for(condition: object) -> None:
    assert callable(condition)
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_file_is_never_seen_half_written(path: Path) -> None:
    with Lease(path, "a", None, lambda: True, stale_s=0.003):
        for _ in range(300):
            assert json.loads(path.read_text())["process"] == os.getpid()
