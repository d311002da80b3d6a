"""Drivers started by tests, and all that they have started."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


def start_driver(
    scenario: str,
    store: Path | str,
    limit: str = "",
    only: str = "",
    address: str = "",
    env: Mapping[str, str] = os.environ,
) -> subprocess.Popen[str]:
    """Start a driver in a process group of its own, as a shell does."""
    words = ["-m", "tests.rotlab.execution.drive", scenario, str(store), limit, only, address]
    return subprocess.Popen(  # noqa: S603  (our own module)
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**env, "OMP_NUM_THREADS": "1"},
    )


@dataclass(frozen=True)
class Outcome:
    """How a driver ended."""

    status: int
    out: str
    err: str


def finish(driver: subprocess.Popen[str], timeout_s: float = 80.0) -> Outcome:
    """Wait for a driver's end; one that does not come is made, and fails the test."""
    try:
        out, err = driver.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        kill(driver.pid, *descendants(driver.pid))
        raise
    return Outcome(driver.returncode, out, err)


def kill_once(
    driver: subprocess.Popen[str], condition: Callable[[], bool], timeout_s: float = 240.0
) -> None:
    """Kill a driver once something holds, and half a second later all that it had started."""
    wait_until(lambda: driver.poll() is not None or condition(), timeout_s)
    assert driver.poll() is None, finish(driver)
    below = descendants(driver.pid)
    driver.kill()
    driver.wait()
    time.sleep(0.5)
    kill(*below)


def descendants(pid: int) -> dict[int, str]:
    """Return the living processes below one, with their command lines."""
    found: dict[int, str] = {}
    known = _processes()
    grown = {pid}
    while grown:
        grown = {child for child, parent in known.items() if parent in grown} - found.keys()
        found.update((child, _command(child)) for child in grown)
    return found


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False


def kill(*pids: int) -> None:
    """Kill processes, by number."""
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, by number; those that have ended meanwhile need none."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> float:
    """Return the seconds until a condition held; fail if it does not within the timeout."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > timeout_s:
            raise AssertionError(f"not within {timeout_s:g} s")
        time.sleep(0.05)
    return time.monotonic() - start


def _processes() -> dict[int, int]:
    found = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            try:
                state, parent = _stat(int(path.name))
            except OSError:
                continue
            if state != "Z":
                found[int(path.name)] = int(parent)
    return found


def _stat(pid: int) -> tuple[str, str]:
    state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return state, parent


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
