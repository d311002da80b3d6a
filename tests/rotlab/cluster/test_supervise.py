"""A driver that is lost comes back; one that ends does not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rotlab.cluster.supervise import keep_running

COUNTS = """
import os, sys
path, ends, last = sys.argv[1], int(sys.argv[2]), sys.argv[3]
done = len(open(path).read()) if os.path.exists(path) else 0
open(path, "a").write("x")
if done < ends:
    os.kill(os.getpid(), 9)
sys.exit(int(last))
"""


def run(tmp_path: Path, lost: int, last: int) -> tuple[int, int, list[str]]:
    """Return the status, how often the driver was started, and what was said."""
    path, said = tmp_path / "count", list[str]()
    command = [sys.executable, "-c", COUNTS, str(path), str(lost), str(last)]
    status = keep_running(command, said.append, pause_s=0)
    return status, len(path.read_text()), said


@pytest.mark.parametrize("last", [0, 1, 2, 130])
def test_a_driver_that_ends_is_left_at_that(tmp_path: Path, last: int) -> None:
    assert run(tmp_path, lost=0, last=last) == (last, 1, [])


def test_a_driver_that_was_killed_is_started_again(tmp_path: Path) -> None:
    status, starts, said = run(tmp_path, lost=2, last=0)
    assert (status, starts) == (0, 3)
    assert said[0] == "the driver was lost (signal SIGKILL): started again, 1 of 5"


def test_a_driver_that_keeps_being_lost_is_given_up(tmp_path: Path) -> None:
    status, starts, said = run(tmp_path, lost=99, last=0)
    assert (status, starts) == (1, 6)
    assert said[-1] == "the driver was lost (signal SIGKILL) 6 times in a row: given up"


def test_a_status_that_is_none_of_ours_counts_as_lost(tmp_path: Path) -> None:
    _, starts, said = run(tmp_path, lost=0, last=77)
    assert starts == 6
    assert "status 77" in said[0]


def test_a_driver_that_lived_long_is_lost_for_the_first_time_each_time(tmp_path: Path) -> None:
    path, said = tmp_path / "count", list[str]()
    command = [sys.executable, "-c", COUNTS, str(path), "7", "0"]
    hours = iter(range(0, 10**6, 3600))
    assert keep_running(command, said.append, pause_s=0, clock=lambda: next(hours)) == 0
    assert said == 7 * ["the driver was lost (signal SIGKILL): started again, 1 of 5"]


def test_a_wish_to_end_is_handed_on_and_is_the_end(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    driver = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "time.sleep(60)\n"
    )
    code = (
        "import sys; from rotlab.cluster.supervise import keep_running\n"
        f"sys.exit(keep_running([sys.executable, '-c', {driver!r}], print))\n"
    )
    above = subprocess.Popen([sys.executable, "-c", code])  # noqa: S603  (our own words)
    end = time.monotonic() + 60
    while not ready.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(above.pid, signal.SIGTERM)
    assert above.wait(timeout=30) == 130
