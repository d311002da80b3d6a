"""How busy the machine of a stage is, by the names that MLflow gives to such metrics.

Cores and memory are the whole machine's, as MLflow has them; beside them stands what the stage's
own process holds. GPUs are those that the process was given, counted as it counts them.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import psutil

PREFIX = "system/"
_MEGA = 1e6


class Gauges:
    """Reads them. The first reading of cores is of the time since this was made.

    A GPU is read through NVML where its Python package (nvidia-ml-py) is installed; else there is
    only the memory in use, by torch, once the stage has begun to use the GPU.
    """

    def __init__(self) -> None:
        psutil.cpu_percent()
        self._process = psutil.Process()
        self._nvml = open_nvml()
        self._devices = [] if self._nvml is None else list(given_devices(self._nvml))

    def read(self) -> dict[str, float]:
        """Return what there is to read now, by name."""
        memory = psutil.virtual_memory()
        found = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / _MEGA,
            "system_memory_usage_percentage": 100 * memory.used / memory.total,
            "process_memory_usage_megabytes": self._process.memory_info().rss / _MEGA,
        }
        for number, device in enumerate(self._devices):
            found |= {f"gpu_{number}_{name}": value for name, value in self._of(device)}
        if not self._devices:
            found |= _torch_memory()
        return {f"{PREFIX}{name}": round(value, 1) for name, value in found.items()}

    def _of(self, device: Any) -> Iterator[tuple[str, float]]:  # noqa: ANN401  (NVML's own)
        nvml = self._nvml
        if nvml is None:
            return
        with contextlib.suppress(nvml.NVMLError):  # of what this device does not tell
            memory = nvml.nvmlDeviceGetMemoryInfo(device)
            yield "memory_usage_megabytes", memory.used / _MEGA
            yield "memory_usage_percentage", 100 * memory.used / memory.total
        with contextlib.suppress(nvml.NVMLError):
            yield "utilization_percentage", nvml.nvmlDeviceGetUtilizationRates(device).gpu
        with contextlib.suppress(nvml.NVMLError):
            yield "power_usage_watts", nvml.nvmlDeviceGetPowerUsage(device) / 1000


def open_nvml() -> ModuleType | None:
    """NVML, ready; None where there is no package, no driver or no device."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    return nvml


def given_devices(nvml: ModuleType) -> Iterator[Any]:
    """The devices that this process may use, in its order."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        names = [str(number) for number in range(nvml.nvmlDeviceGetCount())]
    else:
        names = [name.strip() for name in visible.split(",") if name.strip()]
    for name in names:
        with contextlib.suppress(nvml.NVMLError, ValueError):
            if name.isdecimal():
                yield nvml.nvmlDeviceGetHandleByIndex(int(name))
            else:
                yield nvml.nvmlDeviceGetHandleByUUID(name)


def _torch_memory() -> dict[str, float]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return {}
    found = {}
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        found[f"gpu_{number}_memory_usage_megabytes"] = (total - free) / _MEGA
        found[f"gpu_{number}_memory_usage_percentage"] = 100 * (total - free) / total
    return found
