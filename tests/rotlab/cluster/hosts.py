"""Hosts of a test's own on this machine: each with its address, its name and a cable to be pulled.

A host is a network namespace with one end of a veth pair in it; the other end is a port of a
bridge, which lies in a namespace too. So the machine's own network has no part in it: what runs on
a host reaches the other hosts, and nothing else. Processes and files are the machine's.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.rotlab.execution.processes import kill, wait_until

_NET = "10.77.0"
_BRIDGE = "bridge"
_ENDS_S = 10.0
_numbers = itertools.count()


@dataclass(frozen=True)
class Host:
    """A host that is up.

    Args:
        name: that its processes take it for.
        address: at which the others reach it.
        switch: the namespace of the bridge.
    """

    name: str
    address: str
    switch: str

    @property
    def within(self) -> tuple[str, ...]:
        """The words before a command that run it here, as the very process that is started."""
        own_name = ("unshare", "--uts", "sh", "-c", f'hostname {self.name} && exec "$@"', "sh")
        return ("ip", "netns", "exec", self.name, *own_name)

    def cut(self) -> None:
        """Pull the cable: what is sent to or from here is lost, and nobody is told."""
        self._turn("down")

    def heal(self) -> None:
        """Plug it in again."""
        self._turn("up")

    def pids(self) -> list[int]:
        """Return the processes that run here."""
        return [int(word) for word in _ip("netns", "pids", self.name).split()]

    def _turn(self, how: str) -> None:
        _ip("-n", self.switch, "link", "set", self.name, how)


@contextlib.contextmanager
def hosts(number: int) -> Iterator[list[Host]]:
    """Make hosts that reach one another; they are gone afterwards, and what ran on them, too."""
    name = f"rl{os.getpid()}x{next(_numbers)}"  # an interface's name has 15 characters at most
    made = [Host(f"{name}n{i}", f"{_NET}.{i}", name) for i in range(1, number + 1)]
    with contextlib.ExitStack() as stack:
        _make_namespace(stack, name)
        _ip("-n", name, "link", "add", _BRIDGE, "type", "bridge")
        _ip("-n", name, "link", "set", _BRIDGE, "up")
        for host in made:
            _make_namespace(stack, host.name)
            _connect(host)
        yield made


def why_not() -> str | None:
    """Return why this machine can have no such hosts; None where it can."""
    lacking = [name for name in ("ip", "unshare", "hostname") if shutil.which(name) is None]
    if lacking:
        return f"this machine has no command {lacking[0]}"
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    try:
        with hosts(1):
            return None
    except subprocess.CalledProcessError as error:
        return f"network namespaces cannot be made here: {error.stderr.strip()}"


def _make_namespace(stack: contextlib.ExitStack, name: str) -> None:
    _ip("netns", "add", name)
    stack.callback(_remove, name)


def _connect(host: Host) -> None:
    """Lay a cable from the bridge, whose port is called like the host."""
    end = ("type", "veth", "peer", "name", "eth0", "netns", host.name)
    _ip("-n", host.switch, "link", "add", host.name, *end)
    _ip("-n", host.switch, "link", "set", host.name, "master", _BRIDGE, "up")
    _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
    for name in ("lo", "eth0"):
        _ip("-n", host.name, "link", "set", name, "up")


def _remove(name: str) -> None:
    """Remove a namespace, and whatever still runs in it."""

    def is_empty() -> bool:
        kill(*(int(word) for word in _ip("netns", "pids", name).split()))
        return not _ip("netns", "pids", name)

    try:
        wait_until(is_empty, _ENDS_S)
    finally:
        _ip("netns", "delete", name)


def _ip(*words: str) -> str:
    command: Sequence[str] = ("ip", *words)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
