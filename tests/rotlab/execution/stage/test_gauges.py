"""How busy a machine is: by MLflow's names, of the process's own GPUs, as far as it tells."""

import sys
from types import SimpleNamespace

import pytest

from rotlab.execution.stage.gauges import Gauges


class NoReading(Exception):  # noqa: N818  (named as NVML's own)
    pass


def nvml() -> SimpleNamespace:
    """Four devices: each uses as many megabytes as its number says; the last tells no power."""

    def power(device: str) -> float:
        if device == "3":
            raise NoReading
        return 1000.0 * int(device)

    def by_index(number: int) -> str:
        if number > 3:
            raise NoReading
        return str(number)

    return SimpleNamespace(
        NVMLError=NoReading,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 4,
        nvmlDeviceGetHandleByIndex=by_index,
        nvmlDeviceGetHandleByUUID=lambda name: name.removeprefix("GPU-"),
        nvmlDeviceGetMemoryInfo=lambda one: SimpleNamespace(used=int(one) * 1e6, total=4e6),
        nvmlDeviceGetUtilizationRates=lambda one: SimpleNamespace(gpu=10 * int(one)),
        nvmlDeviceGetPowerUsage=power,
    )


def test_a_machine_without_gpus_tells_cores_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    found = Gauges().read()
    assert set(found) == {
        "system/cpu_utilization_percentage",
        "system/system_memory_usage_megabytes",
        "system/system_memory_usage_percentage",
        "system/process_memory_usage_megabytes",
    }
    assert 0 < found["system/system_memory_usage_percentage"] < 100
    assert found["system/process_memory_usage_megabytes"] > 10


def test_only_the_gpus_that_the_process_was_given_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-3,9")
    found = Gauges().read()
    assert found["system/gpu_0_memory_usage_megabytes"] == 2.0
    assert found["system/gpu_0_power_usage_watts"] == 2.0
    assert found["system/gpu_1_memory_usage_percentage"] == 75.0
    assert found["system/gpu_1_utilization_percentage"] == 30.0
    assert "system/gpu_1_power_usage_watts" not in found
    assert not [name for name in found if "gpu_2" in name]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not [name for name in Gauges().read() if "gpu" in name]
