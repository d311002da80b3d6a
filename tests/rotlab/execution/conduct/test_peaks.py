"""Peaks of device memory: measured with all that a driver keeps, known again, made into shares."""

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from rotlab.execution.conduct import device_memory
from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.conduct import Assignment, Conduct, Event
from rotlab.execution.conduct.device_memory import watched, watching
from rotlab.execution.conduct.message import Message
from rotlab.execution.conduct.peaks import Peaks, read_peak
from rotlab.execution.conduct.shares import Shares
from rotlab.execution.on_ray.searcher import request
from rotlab.execution.stage import provenance
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.share import Peak
from rotlab.planning.release.smoke import smoke_of
from rotlab.planning.stage import Resources
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage

STAGE = make_stage("count", name="a")
PEAK = Peak("Fast 80", 80, 10)


@dataclass
class Device:
    """A device on which a context takes 3, and what is reserved is kept until it is given back."""

    name: str = "Fast 80"
    total: int = 80
    now: int = 0
    most: int = 0

    def forget(self) -> None:
        self.most = self.now

    def most_reserved(self) -> int:
        return self.most

    def reserved(self) -> int:
        return self.now

    def held(self) -> int:
        return self.now + 3

    def take(self, size: int) -> None:
        self.now += size
        self.most = max(self.most, self.now)


def test_the_peak_is_what_was_reserved_at_most_and_the_context(tmp_path: Path) -> None:
    device = Device(most=70)  # of an earlier stage
    with watched(device, tmp_path / "peak.json"):
        device.take(20)
        device.take(-15)
    assert read_peak(tmp_path / "peak.json") == Peak("Fast 80", 80, 23)


def test_of_a_stage_that_went_on_the_higher_peak_counts_and_that_of_one_that_failed(
    tmp_path: Path,
) -> None:
    for size in (20, 30, 10):
        device = Device()
        with contextlib.suppress(MemoryError), watched(device, tmp_path / "peak.json"):
            device.take(size)
            raise MemoryError
    assert read_peak(tmp_path / "peak.json") == Peak("Fast 80", 80, 33)


def nvml(**by_process: int) -> SimpleNamespace:
    listed = [SimpleNamespace(pid=int(p[1:]), usedGpuMemory=n) for p, n in by_process.items()]
    return SimpleNamespace(
        NVMLError=OSError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetComputeRunningProcesses=lambda _: listed,
    )


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device of 80 of which 50 are taken, 20 of them by the allocator of process 7."""
    monkeypatch.setattr(device_memory, "os", SimpleNamespace(getpid=lambda: 7))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    told = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "reset_peak_memory_stats": lambda _: None,
        "get_device_name": lambda _: "Fast 80",
        "get_device_properties": lambda _: SimpleNamespace(total_memory=80),
        "max_memory_reserved": lambda _: 30,
        "memory_reserved": lambda _: 20,
        "mem_get_info": lambda _: (30, 80),
    }
    for name, value in told.items():
        monkeypatch.setattr(torch.cuda, name, value)


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize(
    ("driver", "context"),
    [
        (nvml(_6=90, _7=24), 4),
        (nvml(_6=24), 30),  # it is known by another number
        (nvml(_7=12), 30),  # the number is another's
        (None, 30),
    ],
)
def test_the_driver_is_asked_for_the_process_and_else_all_that_is_taken_counts(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    driver: SimpleNamespace | None,
    context: int,
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    with watching(tmp_path / "peak.json"):
        pass
    assert read_peak(tmp_path / "peak.json") == Peak("Fast 80", 80, 30 + context)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_real_device_tells_what_was_taken_and_a_context(tmp_path: Path) -> None:
    size = 512 * 2**20
    with watching(tmp_path / "peak.json"):
        taken = torch.empty(size, dtype=torch.uint8, device="cuda")
        del taken
        torch.cuda.empty_cache()
    found = read_peak(tmp_path / "peak.json")
    assert found is not None
    assert found.device == torch.cuda.get_device_name(0)
    assert size + 50 * 2**20 < found.peak < found.total


def test_without_a_device_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="no device"), watching(tmp_path / "peak.json"):
        pass


def mark(folder: Path) -> str:
    return Peaks(folder, KINDS).mark("count", STAGE.key, STAGE.config)


def test_what_was_measured_is_known_to_a_later_run_on_that_device(tmp_path: Path) -> None:
    own = mark(tmp_path)
    assert Peaks(tmp_path / "none", KINDS).find(own, "A100") is None
    Peaks(tmp_path, KINDS).add(own, "A100", PEAK)
    known = Peaks(tmp_path, KINDS)
    assert known.find(own, "A100") == PEAK
    assert known.find(own, "T4") is None
    assert known.all_of(own) == [PEAK]


@pytest.mark.parametrize("how", ["source", "torch", "settings"])
def test_other_code_and_other_settings_are_to_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    before, config = mark(tmp_path), STAGE.config
    if how == "source":
        monkeypatch.setattr(provenance, "source", lambda _: "another")
    if how == "torch":
        monkeypatch.setattr(provenance, "versions", lambda: {"torch": "9.0+cu"})
    if how == "settings":
        config = config.model_copy(update={"seconds": 1.0})
    assert Peaks(tmp_path, KINDS).mark("count", STAGE.key, config) != before


def test_the_build_of_torch_is_none_of_it_so_that_a_machine_without_devices_can_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "versions", lambda: {"torch": "9.0+cpu"})
    here = mark(tmp_path)
    monkeypatch.setattr(provenance, "versions", lambda: {"torch": "9.0+cu130"})
    assert mark(tmp_path) == here


def test_a_torn_note_is_no_peak(tmp_path: Path) -> None:
    own = mark(tmp_path)
    Peaks(tmp_path, KINDS).add(own, "", PEAK)
    (tmp_path / f"{own}.json").write_text('{"device": "Fa')
    assert Peaks(tmp_path, KINDS).find(own, "") is None


def test_a_stage_takes_the_largest_share_that_it_needs_on_any_device(tmp_path: Path) -> None:
    large, small, other = (
        make_stage("count", name=name, epochs=epochs)
        for name, epochs in (("a", 5), ("a", 6), ("b", 5))
    )
    plan, peaks = make_plan([large, small, other]), Peaks(tmp_path, KINDS)
    smoke = smoke_of(plan, KINDS, plan.stages)
    taken = {"count": Resources(1, 1.0)}

    def shares(*models: str) -> dict[str, float | None]:
        found = Shares(peaks, KINDS, taken, models or None).of(plan)
        return {plan.stages[key].config.model_dump()["name"]: v.gpus for key, v in found.items()}

    known = Shares(peaks, KINDS, taken, ("A100", "T4"))
    assert len(known.unmeasured(smoke, "A100")) == 2
    assert shares("A100", "T4") == {}
    sort = smoke.plan.stages[smoke.sorts[large.key]]
    known.learn(sort, "A100", PEAK)
    assert shares("A100") == {"a": 0.1666}
    assert shares("A100", "T4") == {}  # it may come to either
    known.learn(sort, "T4", replace(PEAK, device="Slow", total=25))
    assert shares("A100", "T4") == shares() == {"a": 0.5}
    assert known.of_kinds(plan) == {}  # of some of them a whole device is taken
    assert known.lines(plan, plan.stages) == [
        "gpus: auto of count: 1/2 of Fast 80 and Slow measured for 2, "
        "a whole device for 1 not yet measured"
    ]


class Growing:
    """As much of a search as a run asks: once a stage is done, it asks for another."""

    num_pruned = 0

    def __init__(self, plan: Plan) -> None:
        self.plan, self._left = plan, 1

    def done(self, key: str, metrics: Mapping[str, float]) -> None:
        """Take note of nothing."""

    def heard(self, *_: object, **__: object) -> bool:
        return False

    def take_stopped(self) -> None:
        """Nothing is stopped."""

    def lost(self, keys: object) -> None:
        """Nothing is lost."""

    def sign(self, key: str) -> None:
        """Nothing can stop a stage."""

    def decide(self) -> bool:
        self._left, grows = self._left - 1, self._left > 0
        more = make_stage("count", name="a", epochs=9)
        stages = {**self.plan.stages, more.key: more} if grows else self.plan.stages
        self.plan = replace(self.plan, stages=stages)
        return grows


class Deaf:
    def record(self, event: Event) -> None:
        """Hear nothing."""


def test_a_stage_that_is_asked_for_late_takes_the_share_of_its_sort(tmp_path: Path) -> None:
    plan, taken = make_plan([make_stage("count", name="a")]), {"count": Resources(1, 1.0)}
    shares = Shares(Peaks(tmp_path, KINDS), KINDS, taken, ("A100",))
    sort = next(iter(smoke_of(plan, KINDS, plan.stages).plan.stages.values()))
    shares.learn(sort, "A100", replace(PEAK, peak=20))
    conduct = Conduct(
        plan,
        {},
        taken,
        lambda: Capacity(4, 1),
        Deaf(),
        searches=Growing(plan),  # type: ignore[arg-type]  # as much of one as is asked
        measured=shares,
    )
    for _ in range(2):
        one = conduct.propose()
        assert isinstance(one, Assignment)
        assert one.resources == Resources(1, 0.3333)
        conduct.began(one.key, one.attempt)
        conduct.heard(one.key, one.attempt, Message("FINISHED"))
    assert conduct.finished_all


def test_a_trial_for_a_model_of_devices_asks_ray_for_such_a_node() -> None:
    config = {"cpus": 2, "gpus": 1.0, "processes": 1, "model": "A100"}
    (bundle,) = request(config).bundles
    assert bundle == {"CPU": 2.0, "GPU": 1.0, "accelerator_type:A100": 0.001}
