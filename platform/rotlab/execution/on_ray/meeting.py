"""Where the processes of a stage find one another: torch's share of a crew.

What listens for them listens on the address of the node that Ray knows, and on no other.
"""

import contextlib
import os
import socket
from collections.abc import Iterator

import torch.distributed as dist
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # its own __init__ has it

from rotnet.learning.company import begin
from rotnet.learning.watch import Stopped

_LOCAL = ("127.0.0.1", "::1")


def open_meeting(address: str, processes: int) -> tuple[TCPStore, int]:
    """Open a place to meet at, and return it with its port.

    Args:
        address: of this node.
        processes: that will meet.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listening:
        listening.bind((address, 0))
        listening.listen()
        port = listening.getsockname()[1]
        store = TCPStore(
            address,
            port,
            processes,
            is_master=True,
            wait_for_workers=False,
            master_listen_fd=listening.detach(),
        )
    return store, port


@contextlib.contextmanager
def leading(store: TCPStore, processes: int) -> Iterator[None]:
    """Be the first of the processes that meet there.

    Where an error ends the block, the group is left as it is: the others may be gone, and not
    answer, and a process in which a stage failed is given up anyway. One that was stopped is not.
    """
    begin(store=store, rank=0, world_size=processes)
    with _ended():
        yield


@contextlib.contextmanager
def joining(rank: int, address: str, port: int, processes: int) -> Iterator[None]:
    """Be one of the others."""
    store = TCPStore(address, port, processes, is_master=False)
    begin(store=store, rank=rank, world_size=processes)
    with _ended():
        yield


@contextlib.contextmanager
def _ended() -> Iterator[None]:
    try:
        yield
    except Stopped:
        dist.destroy_process_group()
        raise
    dist.destroy_process_group()


def stay_local(address: str) -> None:
    """Exchange nothing beyond this machine where Ray itself does not."""
    if address in _LOCAL:
        os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = "lo"
