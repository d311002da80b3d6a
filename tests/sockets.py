"""Ports for servers that tests start beside one another."""

import contextlib
import os
import socket

_FIRST, _LAST = 21_000, 32_000  # below those that the system hands out by itself
_given: set[int] = set()


def free_ports(number: int) -> list[int]:
    """Return ports that nothing listens on now, each given once only in this process.

    Tests beside one another look at others first: none of theirs listens yet when these are chosen.
    """
    start = 100 * (os.getpid() % 100)
    width = _LAST - _FIRST
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        for step in range(width):
            port = _FIRST + (start + step) % width
            if port in _given:
                continue
            one = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("", port))
                found.append(port)
            if len(found) == number:
                _given.update(found)
                return found
    raise AssertionError(f"this machine has no {number} free ports")


def free_port() -> int:
    """Return one such port."""
    return free_ports(1)[0]
