"""The processes that compute one training together: a process group of torch.distributed.

The first of them leads: it alone watches, writes and tells. A process that is in no group is a
company of one, for which all of this does nothing.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Company:
    """What a process knows of those that it computes with.

    What is exchanged is exchanged in turn: all of them call the same methods in the same order.

    Args:
        rank: which of them this is, from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def here(cls) -> "Company":
        """Return that of this process: its default process group, or itself alone."""
        if not (dist.is_available() and dist.is_initialized()):
            return cls()
        return cls(dist.get_rank(), dist.get_world_size())

    @property
    def leads(self) -> bool:
        """Whether this process watches, writes and tells."""
        return self.rank == 0

    def heed(self, ask: Callable[[], Value]) -> Value:
        """Return what the leader's call returns, or raise what it raises, in every process."""
        if self.size == 1:
            return ask()
        told: list[tuple[bool, object]] = [(False, None)]
        if self.leads:
            try:
                told = [(True, ask())]
            except Exception as error:  # noqa: BLE001  (it is raised below, and by the others too)
                told = [(False, error)]
        dist.broadcast_object_list(told, src=0)
        is_answer, found = told[0]
        if not is_answer and isinstance(found, Exception):
            raise found
        return found  # type: ignore[return-value]

    def heed_number(self, ask: Callable[[], int]) -> int:
        """Return the number that the leader's call returns: cheap enough for every step."""
        if self.size == 1:
            return ask()
        told = torch.tensor(ask() if self.leads else 0)
        dist.broadcast(told, src=0)
        return int(told)

    def gather(self, value: Value) -> list[Value]:
        """Return what each process gave, by rank."""
        if self.size == 1:
            return [value]
        found: list[Value | None] = [None] * self.size
        dist.all_gather_object(found, value)
        return found  # type: ignore[return-value]  # by now each is there

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Put the sums over all processes in the tensors' place, all in one exchange.

        Args:
            tensors: 32-bit floats of equal shapes in every process, on one device.
        """
        if self.size == 1:
            return
        flat = torch.cat([one.reshape(-1) for one in tensors])
        dist.all_reduce(flat)
        for one, total in zip(tensors, flat.split([one.numel() for one in tensors]), strict=True):
            one.copy_(total.view(one.shape))

    def share_statistics(self, model: nn.Module, sharers: int) -> None:
        """Have layers of batch normalisation take statistics over so many processes at a time.

        Args:
            model: on a CUDA device: torch's layer knows no other.
            sharers: processes [0, sharers) share theirs, the next so many likewise, and so on.
        """
        group, _ = dist.new_subgroups(sharers)
        nn.SyncBatchNorm.convert_sync_batchnorm(model, group)


@contextmanager
def joined() -> Iterator[Company]:
    """Join the company that the environment names, as `torchrun` has it; or be one alone.

    A process takes the GPU of its number on its machine where there are GPUs.
    """
    if processes() == 1:
        yield Company()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    begin()
    try:
        yield Company.here()
    finally:
        dist.destroy_process_group()


def processes() -> int:
    """Return how many processes the environment says were started together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def begin(**where: object) -> None:
    """Make the process group: by NCCL where there are GPUs, and by gloo, for what lies on the CPU.

    Args:
        **where: `init_method`, `rank` and `world_size`; without, the environment has them.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, **where)  # type: ignore[arg-type]
