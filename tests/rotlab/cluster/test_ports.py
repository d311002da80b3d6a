"""What a cluster, and a run on this machine, listen on: nothing that is not known."""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import ray
from ray.util import get_node_ip_address

from rotlab.execution.on_ray.cluster import cluster
from tests.rotlab.cluster.ports import Port, calls, listening, refuses_strangers
from tests.rotlab.execution.processes import descendants, kill, wait_until
from tests.sockets import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

_ROOT = Path(__file__).parents[3]
_STARTS_S, _ENDS_S = 180.0, 60.0
_STARTED = "Ray runtime started"
_LISTEN = ("gcs_server", "raylet", "ray::DashboardAgent", "ray::RuntimeEnvAgent")
_TABLE = "| Ray's port that asks for no token |"
_DRIVER = """
import ray
ray.init(address={address!r}, log_to_driver=False)
print(ray.get(ray.remote(lambda: "works").remote()), flush=True)
input()
"""


@dataclass(frozen=True)
class Head:
    """A head that is up, with a driver and a worker that has worked.

    Args:
        token: that it asks for.
        dashboard: the port of its dashboard.
        pids: the processes that started it and the driver.
    """

    token: str
    dashboard: int
    pids: tuple[int, int]

    def ports(self) -> list[Port]:
        """Return what its processes and the driver listen on now."""
        return listening({*self.pids, *(one for pid in self.pids for one in descendants(pid))})


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    folder = Path(tempfile.mkdtemp(prefix="ports-", dir="/tmp"))
    host: str = get_node_ip_address()  # type: ignore[no-untyped-call]
    port, dashboard, agent, client, *metrics = free_ports(6)
    address, token = f"{host}:{port}", secrets.token_hex(16)
    env = {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "OMP_NUM_THREADS": "1",
        "AUTOSCALER_METRIC_PORT": str(metrics[0]),  # where another Ray has the usual ones
        "DASHBOARD_METRIC_PORT": str(metrics[1]),
    }
    words = ["start", "--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}"]
    words += [f"--dashboard-agent-listen-port={agent}", f"--ray-client-server-port={client}"]
    words += [f"--node-ip-address={host}", "--num-cpus=1", "--num-gpus=0", f"--temp-dir={folder}"]
    words += ["--dashboard-host=127.0.0.1", "--disable-usage-stats"]
    words += [f"--object-store-memory={80 * 2**20}"]
    log = folder / "head.log"
    try:
        with log.open("wb") as out, contextlib.ExitStack() as stack:
            started = subprocess.Popen(  # noqa: S603  (Ray's own command)
                [str(Path(sys.executable).with_name("ray")), *words],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )
            stack.callback(_end, started)
            wait_until(lambda: _STARTED in log.read_text(), _STARTS_S)
            driver = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", _DRIVER.format(address=address)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=env,
                start_new_session=True,
            )
            stack.callback(_end, driver)
            assert driver.stdout is not None
            assert driver.stdout.readline() == "works\n"
            yield Head(token, dashboard, (started.pid, driver.pid))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """End a process and all below it; what does not end is killed."""
    below = descendants(process.pid)
    process.terminate()
    try:
        process.wait(_ENDS_S)
    finally:
        kill(process.pid, *below)


def test_ports_of_ray_that_ask_for_no_token_are_those_that_the_deploy_guide_names(
    head: Head,
) -> None:
    wait_until(lambda: _who(head, refuses=True) >= Counter(_LISTEN), _STARTS_S)
    wait_until(lambda: _who(head, refuses=False) >= Counter(_named()), _STARTS_S)
    assert _who(head, refuses=False) == Counter(_named())


def test_the_dashboard_of_a_cluster_listens_on_loopback_only(head: Head) -> None:
    found = [port.is_loopback for port in head.ports() if port.number == head.dashboard]
    assert found
    assert all(found)


def test_who_has_the_token_is_answered(head: Head) -> None:
    [gcs] = [port for port in head.ports() if _program(port) == "gcs_server"]
    assert grpc.StatusCode.OK in calls(gcs, head.token)
    assert calls(gcs) == calls(gcs, "another") == {grpc.StatusCode.UNAUTHENTICATED}


def test_a_run_on_this_machine_listens_on_loopback_only() -> None:
    others = descendants(os.getpid())
    with cluster(None, 1, 0, verbose=False):
        assert ray.get(ray.remote(lambda: "works").remote()) == "works"
        ports = listening({os.getpid(), *descendants(os.getpid())} - others.keys())
        assert {_program(port) for port in ports} >= {"gcs_server", "raylet"}
        assert not [port for port in ports if not port.is_loopback]


def _who(head: Head, *, refuses: bool) -> Counter[str]:
    """Return whose ports that others could reach refuse who has no token, or do not."""
    ports = [port for port in head.ports() if not port.is_loopback]
    return Counter(_program(port) for port in ports if refuses_strangers(port) is refuses)


def _program(port: Port) -> str:
    """Return a file's name, of Python its script's; or what a process calls itself."""
    called = port.command.partition(" --")[0].split()
    return Path(next((word for word in called if word.endswith(".py")), called[0])).name


def _named() -> list[str]:
    """Return the programs in the first column of the table of ports that ask for no token."""
    text = (_ROOT / "platform" / "deploy" / "README.md").read_text()
    assert _TABLE in text
    rows = text.partition(_TABLE)[2].partition("\n\n")[0].splitlines()[2:]
    return [row.split("`")[1] for row in rows]
