"""A Ray cluster of several nodes on this machine, each a process of ours that can be killed.

Every node has an address of its own, so that Ray takes it for another machine. The head has
no cores: no stage runs there, and it is not killed, for with it the cluster would be gone.
"""

import contextlib
import logging
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.rotlab.execution.processes import descendants, kill, signal_all, wait_until
from tests.sockets import free_port

LOG = logging.getLogger("chaos")
_STARTS_S, _ENDS_S = 300.0, 60.0
_PORTS = range(20000, 32000)  # below those that the system hands out, and none of Ray's workers'
_STARTED = "Ray runtime started"
_OBJECT_STORE_BYTES = 80 * 2**20
_HELPERS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
_RAY = {
    "RAY_AUTH_MODE": "token",  # Ray's ports listen on all interfaces
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_health_check_period_ms": "1000",  # a lost node is found soon
    "RAY_health_check_failure_threshold": "3",
}


@dataclass(frozen=True)
class Place:
    """Where a node is started.

    Args:
        address: of its own.
        within: words before a command that run it there.
    """

    address: str
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Node:
    """A node, by the process that started it and ends with it."""

    process: subprocess.Popen[bytes]
    place: Place
    options: tuple[str, ...]
    log: Path

    def words(self) -> str:
        """Return what it has said."""
        return self.log.read_text()


class Nodes:
    """A cluster that is up: its head, and nodes that come and go.

    Args:
        folder: for Ray's files and what the nodes say; its path must be short.
        env: of every process.
        cores: of each node but the head.
        places: where nodes are started, the head first.
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str], cores: int, places: Iterable[Place]
    ) -> None:
        self.env = {**env, **_RAY, "RAY_AUTH_TOKEN": secrets.token_hex(16)}
        self._places = iter(places)
        self._head = next(self._places)
        self.address = f"{self._head.address}:{free_port()}"
        self._folder, self._cores = folder, cores
        self._nodes: list[_Node] = []

    def start(self, number: int) -> None:
        """Start the head, then so many nodes at once, and wait until they are there."""
        port = self.address.rpartition(":")[2]
        head = ("--head", f"--port={port}", "--num-cpus=0", f"--temp-dir={self._folder}")
        self._start(self._head, *head, "--include-dashboard=false")
        wait_until(self._is_up, _STARTS_S)
        for _ in range(number):
            self._join()
        wait_until(self._is_up, _STARTS_S)

    def tend(self) -> None:
        """Start again what has given up to start: Ray does so after half a minute."""
        for node in [each for each in self._nodes if each.process.poll() is not None]:
            LOG.info("a node did not start and is started again: %s", node.words()[-300:])
            self._nodes.remove(node)
            self._start(node.place, *node.options)

    def lose(self, worker: int) -> int:
        """Kill the node that a process is on, all of it at once, and have another come.

        Returns:
            How many processes were killed.

        Raises:
            ValueError: if the process is on no node.
        """
        for node in self._nodes:
            below = descendants(node.process.pid)
            if worker in below:
                break
        else:
            raise ValueError(f"process {worker} is on no node")
        signal_all((node.process.pid, *below), signal.SIGSTOP)  # so that none sees another end
        kill(node.process.pid, *below)
        node.process.wait()
        self._nodes.remove(node)
        self._join()
        return 1 + len(below)

    def workers(self) -> dict[int, str]:
        """Return the processes that nodes have for work, with their command lines."""
        found: dict[int, str] = {}
        for node in self._nodes:
            found |= {
                pid: name
                for pid, name in descendants(node.process.pid).items()
                if name.startswith("ray::") and not name.startswith(_HELPERS)
            }
        return found

    def stop(self) -> None:
        """End all nodes, the head last; what does not end is killed."""
        for node in sorted(self._nodes, key=lambda node: node.place == self._head):
            below = descendants(node.process.pid)
            node.process.terminate()
            try:
                node.process.wait(_ENDS_S)
            finally:
                kill(node.process.pid, *below)
        self._nodes.clear()

    def _join(self) -> None:
        options = (f"--address={self.address}", f"--num-cpus={self._cores}")
        self._start(next(self._places), *options)

    def _start(self, place: Place, *options: str) -> None:
        log = self._folder / f"node-{place.address}.log"
        words = ["start", "--block", f"--node-ip-address={place.address}", "--num-gpus=0", *options]
        words += [f"--object-store-memory={_OBJECT_STORE_BYTES}", "--include-log-monitor=false"]
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603  (Ray's own command)
                [*place.within, str(Path(sys.executable).with_name("ray")), *words],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self.env,
                start_new_session=True,
            )
        self._nodes.append(_Node(process, place, options, log))

    def _is_up(self) -> bool:
        self.tend()
        return all(_STARTED in node.words() for node in self._nodes)


@contextlib.contextmanager
def nodes_up(
    number: int, env: Mapping[str, str], cores: int = 1, places: Iterable[Place] | None = None
) -> Iterator[Nodes]:
    """Start a cluster, and end it with the block.

    Args:
        number: of nodes besides the head.
        env: of every process.
        cores: of each node.
        places: where nodes are started, the head first; None: on this machine's loopback.
    """
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/tmp"))
    nodes = Nodes(folder, env, cores, places or _on_loopback())
    try:
        nodes.start(number)
        yield nodes
    finally:
        nodes.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _on_loopback() -> Iterator[Place]:
    """Ray takes 127.0.0.1 for any of this machine's addresses."""
    return (Place(f"127.0.0.{number}") for number in range(2, 255))
