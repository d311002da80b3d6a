"""Ports for servers that tests start beside one another."""

import contextlib
import os
import socket


def free_ports(number: int) -> list[int]:
    """Return ports that nothing listens on now, below those that the system hands out.

    Tests beside one another look at others first: none of theirs listens yet when these are chosen.
    """
    first = 21_000 + 100 * (os.getpid() % 100)
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        for port in range(first, 32_000):
            one = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("", port))
                found.append(port)
            if len(found) == number:
                return found
    raise AssertionError(f"this machine has no {number} free ports")


def free_port() -> int:
    """Return one such port."""
    return free_ports(1)[0]
