"""One stage in this process: what it leaves, what it goes on from, and how it fails."""

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import torch
from ray import tune

from rotlab.execution.on_ray import trial
from rotlab.execution.stage import provenance
from rotlab.execution.stage.perform import Work, perform
from rotlab.execution.stage.settle import settle
from rotlab.planning.stage import Stage
from rotlab.store.lease import HeldElsewhereError
from rotlab.store.store import Store
from rotnet.errors import UserError
from rotnet.learning.watch import Stopped, StopWish, Unwatched
from tests.rotlab.execution.lab import KINDS, make_stage


class StopAfter(Unwatched):
    """Wants to stop once a step is reached."""

    def __init__(self, step: int) -> None:
        self.left = step

    def report(self, step: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        self.left -= 1

    def should_stop(self) -> StopWish:
        return "now" if self.left <= 0 else "no"


def make_work(root: Path, *stages: Stage) -> Work:
    return Work({stage.key: stage for stage in stages}, KINDS, {}, root, dict.fromkeys(KINDS, 1))


def test_a_stage_leaves_a_record_of_what_it_was(tmp_path: Path) -> None:
    stage = make_stage("count", name="a", epochs=3)
    record = perform(stage.key, make_work(tmp_path, stage), Unwatched())
    assert record == Store(tmp_path).record(stage.key, stage.kind)
    assert record.metrics == {"epochs": 3.0, "resumed_at": 0.0}
    assert record.config["epochs"] == 3
    assert set(record.files) == {"state.json"}
    assert {"python", "rotlab"} <= set(record.versions)
    assert record.source == provenance.source(KINDS["count"].run)
    assert record.source is not None


def test_a_stage_that_is_done_is_not_done_again(tmp_path: Path) -> None:
    stage = make_stage("count", name="a")
    work = make_work(tmp_path, stage)
    first = perform(stage.key, work, Unwatched())
    assert perform(stage.key, work, Unwatched(), "another") == first


def test_a_worker_of_another_version_refuses_the_work(tmp_path: Path) -> None:
    stage = make_stage("count", name="a")
    newer = replace(KINDS["count"], version=KINDS["count"].version + 1)
    work = replace(make_work(tmp_path, stage), kinds={"count": newer})
    with pytest.raises(UserError, match="was planned by another version of the code"):
        perform(stage.key, work, Unwatched())
    assert Store(tmp_path).record(stage.key, stage.kind) is None


def test_a_stopped_stage_goes_on_where_it_was(tmp_path: Path) -> None:
    stage = make_stage("count", name="a", epochs=5)
    work = make_work(tmp_path, stage)
    with pytest.raises(Stopped):
        perform(stage.key, work, StopAfter(2))
    assert perform(stage.key, work, Unwatched()).metrics["resumed_at"] == 2


def test_a_failing_stage_leaves_its_traceback_and_no_record(tmp_path: Path) -> None:
    stage = make_stage("count", name="a", fail=True)
    with pytest.raises(ValueError, match="cannot count"):
        perform(stage.key, make_work(tmp_path, stage), Unwatched(), "one")
    store = Store(tmp_path)
    assert store.record(stage.key, stage.kind) is None
    assert "ValueError: a cannot count" in store.error_path(stage, "one").read_text()


def test_a_metric_that_is_not_finite_is_a_failure(tmp_path: Path) -> None:
    stage = make_stage("count", name="a", diverge=True)
    with pytest.raises(FloatingPointError, match="metric 'odd' is inf"):
        perform(stage.key, make_work(tmp_path, stage), Unwatched())


def test_a_stage_is_given_its_inputs_results(tmp_path: Path) -> None:
    counts = [make_stage("count", name=name, epochs=n) for name, n in (("a", 2), ("b", 3))]
    total = make_stage("total", {"a": counts[0], "b": counts[1]}, name="total")
    work = make_work(tmp_path, *counts, total)
    with pytest.raises(UserError, match=f"count {counts[0].key[:12]} is not in the store"):
        perform(total.key, work, Unwatched())
    for stage in counts:
        perform(stage.key, work, Unwatched())
    assert perform(total.key, work, Unwatched()).metrics == {"accuracy": 5.0}


def test_a_stage_swept_away_by_anothers_commit_takes_that_result(tmp_path: Path) -> None:
    stage = make_stage("count", name="a", epochs=4)
    work = make_work(tmp_path, stage)

    class Overtaken(Unwatched):
        def saved(self, step: int, path: Path) -> None:  # noqa: ARG002
            if step == 2:
                lease = Store(tmp_path).lease_path(stage).read_text()
                perform(stage.key, work, Unwatched(), "overtaker", stale=lease)

    assert perform(stage.key, work, Overtaken(), "overtaken").attempt == "overtaker"


def test_a_stage_that_another_attempt_works_at_is_left_to_it(tmp_path: Path) -> None:
    stage = make_stage("count", name="a", epochs=2)
    work = make_work(tmp_path, stage)
    refused = []

    class Beside(Unwatched):
        def saved(self, step: int, path: Path) -> None:  # noqa: ARG002
            with pytest.raises(HeldElsewhereError):
                perform(stage.key, work, Unwatched(), "second")
            refused.append(step)

    assert perform(stage.key, work, Beside(), "first").attempt == "first"
    assert refused == [1, 2]
    assert not Store(tmp_path).lease_path(stage).exists()


def test_a_settled_process_draws_and_computes_as_a_fresh_one() -> None:
    settle(1)
    fresh = (random.random(), np.random.rand(), torch.rand(3).tolist())  # noqa: NPY002, S311
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)
    torch.backends.cudnn.benchmark = True
    torch.set_default_dtype(torch.float64)
    settle(1)
    assert fresh == (random.random(), np.random.rand(), torch.rand(3).tolist())  # noqa: NPY002, S311
    assert torch.get_num_threads() == 1
    assert torch.get_default_dtype() == torch.float32
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark


class FakeCuda:
    """Notes what is asked of a device that is not there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, initialized: bool) -> None:
        self.shares: list[float] = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda: initialized)
        monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
        monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", self.shares.append)


def test_a_share_of_a_gpu_is_a_cap_on_its_memory_until_the_next_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = FakeCuda(monkeypatch, initialized=True)
    for gpus in (0.25, 1.0, 2.0, None):
        settle(1, gpus)
    assert cuda.shares == [0.25, 1.0, 1.0, 1.0]


def test_a_whole_gpu_is_not_touched_before_a_stage_does(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda(monkeypatch, initialized=False)
    settle(1, 1.0)
    settle(1, 0.0)
    assert cuda.shares == []


def test_a_stage_runs_under_the_cap_of_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda = FakeCuda(monkeypatch, initialized=False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "none")
    stage = make_stage("count", name="a")
    perform(stage.key, make_work(tmp_path, stage), Unwatched(), gpus=0.5)
    assert cuda.shares == [0.5]


def test_a_trial_hands_on_what_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda = FakeCuda(monkeypatch, initialized=False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "none")
    monkeypatch.setattr(tune, "report", lambda _: None)
    stage = make_stage("count", name="a")
    monkeypatch.setattr(ray, "get", lambda _: make_work(tmp_path, stage))
    config = {"stage": stage.key, "attempt": "one", "stale": None, "grown": None, "sign": None}
    given: dict[str, Any] = {**config, "cpus": 1, "gpus": 0.5, "processes": 1, "then": []}
    shared = trial.Shared(ray.ObjectRef.nil())
    trial.run_trial(given, shared, tmp_path / "stop", verbose=True)
    assert cuda.shares == [0.5]
