"""How much of its device's memory a process held at most, by what the driver says of it.

Torch counts what its allocator took. Beside that the driver keeps the process's context, the code
of its kernels and what libraries take for themselves: hundreds of megabytes, which a neighbour on
the device lacks as well. So the most that the allocator held is added to what the driver says that
the process holds now, less what the allocator holds now.
"""

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import torch

from rotlab.execution.conduct.peaks import read_peak, write_peak
from rotlab.execution.stage.gauges import given_devices, open_nvml
from rotlab.planning.plan.share import Peak


class Device(Protocol):
    """A device, as far as its memory goes; all in bytes."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def total(self) -> int:
        """Its memory."""

    def forget(self) -> None:
        """Begin to count anew what the allocator takes."""

    def most_reserved(self) -> int:
        """What the allocator held at most since then."""

    def reserved(self) -> int:
        """What the allocator holds now."""

    def held(self) -> int:
        """What the driver says that this process holds now, or may hold."""


def watching(note: Path) -> AbstractContextManager[None]:
    """Measure the first device of this process during a block; see `watched`.

    Raises:
        RuntimeError: if the process has no device.
    """
    if not torch.cuda.is_available():
        raise RuntimeError("no device to measure: torch finds none in this process")
    return watched(_Cuda(), note)


@contextlib.contextmanager
def watched(device: Device, note: Path) -> Iterator[None]:
    """Note the peak of a block, or that of an earlier block on the device if that was higher.

    Args:
        device: that the block computes on.
        note: file that says it; its folder is there.
    """
    device.forget()
    try:
        yield
    finally:
        peak = device.most_reserved() + max(0, device.held() - device.reserved())
        before = read_peak(note)
        most = peak if before is None else max(peak, before.peak)
        write_peak(note, Peak(device.name, device.total, most))


class _Cuda:
    """The first device of this process."""

    @property
    def name(self) -> str:
        return torch.cuda.get_device_name(0)

    @property
    def total(self) -> int:
        return torch.cuda.get_device_properties(0).total_memory

    def forget(self) -> None:
        if torch.cuda.is_initialized():  # else nothing was taken yet
            torch.cuda.reset_peak_memory_stats(0)

    def most_reserved(self) -> int:
        return torch.cuda.max_memory_reserved(0)

    def reserved(self) -> int:
        return torch.cuda.memory_reserved(0)

    def held(self) -> int:
        """What NVML says of the process; where it does not tell, all that is taken of the device.

        It tells of no process where that is known by another number, as in most containers.
        """
        own = _by_nvml(os.getpid())
        if own is not None and own >= self.reserved():  # else it is another's by that number
            return own
        free, total = torch.cuda.mem_get_info(0)
        return total - free


def _by_nvml(process: int) -> int | None:
    nvml: Any = open_nvml()
    if nvml is None:
        return None
    for device in list(given_devices(nvml))[:1]:
        with contextlib.suppress(nvml.NVMLError):
            for one in nvml.nvmlDeviceGetComputeRunningProcesses(device):
                if one.pid == process and one.usedGpuMemory:
                    return int(one.usedGpuMemory)
    return None
