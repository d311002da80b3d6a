"""Hosts of a test's own: what a pulled cable does, and that nothing is left of them."""

import signal
import subprocess
import sys

import pytest

from tests.rotlab.cluster.hosts import Host, hosts, why_not
from tests.rotlab.execution.processes import wait_until

pytestmark = pytest.mark.slow
PATIENCE_S = 30.0
PORT = 8000


@pytest.fixture(autouse=True)
def namespaces() -> None:
    lacking = why_not()
    if lacking:
        pytest.skip(lacking)


def reaches(one: Host, other: Host) -> bool:
    """Say whether a connection is made within a second."""
    ask = f"import socket; socket.create_connection(('{other.address}', {PORT}), 1)"
    asking = [*one.within, sys.executable, "-S", "-c", ask]
    return subprocess.run(asking, check=False, capture_output=True).returncode == 0  # noqa: S603


def begin_and_fail(begun: list[subprocess.Popen[bytes]], made: list[Host]) -> None:
    with hosts(2) as both:
        made += both
        begun.append(subprocess.Popen([*both[0].within, "sleep", "1000"]))  # noqa: S603
        wait_until(lambda: both[0].pids() == [begun[0].pid], PATIENCE_S)
        raise KeyError


def test_a_host_that_is_cut_off_is_reached_once_it_is_healed() -> None:
    with hosts(2) as (one, other):
        words = ["-m", "http.server", str(PORT), "--bind", other.address]
        subprocess.Popen([*other.within, sys.executable, *words], stderr=subprocess.DEVNULL)  # noqa: S603
        wait_until(lambda: reaches(one, other), PATIENCE_S)
        other.cut()
        assert not reaches(one, other)
        other.heal()
        wait_until(lambda: reaches(one, other), PATIENCE_S)


def test_after_a_failure_nothing_is_left_of_hosts_and_what_ran_on_them() -> None:
    begun: list[subprocess.Popen[bytes]] = []
    made: list[Host] = []
    with pytest.raises(KeyError):
        begin_and_fail(begun, made)
    assert begun[0].wait(PATIENCE_S) == -signal.SIGKILL
    there = subprocess.run(["ip", "netns"], check=True, capture_output=True, text=True).stdout  # noqa: S607
    assert not {made[0].switch, *(host.name for host in made)} & set(there.split())
