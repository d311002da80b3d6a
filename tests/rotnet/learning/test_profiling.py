"""A profile: its parts are the step, its counts are two that agree, and it leaves no training."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from rotnet.cli import main
from rotnet.config import ClipConfig, ModelConfig
from rotnet.data.manifest import Manifest
from rotnet.learning.arithmetic import layers_flops, matmul_rate, torch_flops
from rotnet.learning.meter import PARTS
from rotnet.learning.stopwatch import Stopwatch, covered

SMALL = ["--recipe", "tiny", "--set", "clip.resize=24", "--set", "clip.size=20"]
SMALL += ["--set", "model.width=2"]


def figures_of(table: str) -> dict[str, float]:
    """Part -> milliseconds, as printed."""
    rows = [line.split() for line in table.splitlines() if " ms" in line]
    return {row[0]: float(row[1]) for row in rows}


def profiled(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, float]]:
    assert main(words) == 0
    said = capsys.readouterr().out
    return said, figures_of(said)


def test_the_parts_of_a_pretraining_add_up_to_its_step(
    tmp_path: Path, pool: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    said, figures = profiled(["pretrain", str(pool.folder), str(out), *SMALL, "--profile"], capsys)
    assert list(figures) == [*PARTS, "step"]
    step = figures.pop("step")
    assert sum(figures.values()) == pytest.approx(step, abs=0.05)
    assert min(figures["forward"], figures["backward"]) > 0
    assert sorted(path.name for path in out.rglob("*")) == [
        "profile",
        "profile.json",
        "profile.txt",
        "trace.json",
    ]
    kept = json.loads((out / "profile/profile.json").read_text())
    assert kept["step_s"] * 1000 == pytest.approx(step, abs=0.01)
    assert sum(kept["times"]["seconds"].values()) == pytest.approx(10 * kept["step_s"])
    assert kept["flops"] == pytest.approx(kept["torch_flops"], rel=0.001)
    assert kept["peak_bytes"] > 1e6
    names = {event.get("name") for event in json.loads(trace(out))["traceEvents"]}
    assert set(PARTS) <= names
    assert said.startswith((out / "profile/profile.txt").read_text())


def trace(out: Path) -> str:
    return (out / "profile/trace.json").read_text()


def test_a_fine_tuning_is_profiled_into_a_folder_of_ones_own(
    tmp_path: Path, actions: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    out, folder = tmp_path / "out", tmp_path / "elsewhere"
    words = ["finetune", str(actions.folder), str(out), *SMALL, "--set", "finetune.freeze=2"]
    _, figures = profiled([*words, "--profile", str(folder)], capsys)
    assert figures["step"] > 0
    assert not out.exists()
    kept = json.loads((folder / "profile.json").read_text())
    assert kept["flops"] == pytest.approx(kept["torch_flops"], rel=0.001)
    assert kept["views"] == 16


@pytest.mark.parametrize("model", [ModelConfig(width=4), ModelConfig(backbone="c3d")])
def test_the_two_counts_of_arithmetic_agree(model: ModelConfig) -> None:
    clip = ClipConfig(frames=8, size=32, resize=36)
    for frozen in (0, 2):
        ours = layers_flops(model, clip, 4, frozen)
        assert ours == pytest.approx(torch_flops(model, clip, 4, frozen), rel=0.001)


def test_products_of_matrices_are_timed() -> None:
    assert matmul_rate(torch.device("cpu"), torch.float32, seconds=0.05) > 1e8


def test_a_stopwatch_gives_each_part_the_time_until_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that is told what time it is."""
    now = [0.0]
    watch = Stopwatch(torch.device("cpu"), tmp_path / "trace.json", warm=1, timed=2, traced=1)
    monkeypatch.setattr("rotnet.learning.stopwatch.perf_counter", lambda: now[0])
    lasts: dict[Any, float] = {part: float(place + 1) for place, part in enumerate(PARTS)}
    wishes = []
    for _ in range(4):
        for part in PARTS:
            watch.enter(part)
            now[0] += lasts[part]
        wishes.append(watch.should_stop())
    assert wishes == ["no", "no", "no", "now"]
    times = watch.times()
    assert times.steps == 2
    assert times.seconds == {part: 2 * lasts[part] for part in PARTS}
    assert times.step_s == sum(lasts.values())
    assert times.busy is None


def test_a_training_too_short_for_a_profile_is_told() -> None:
    watch = Stopwatch(torch.device("cpu"), Path("none"), warm=1, timed=2, traced=1)
    watch.enter("load")
    with pytest.raises(ValueError, match="has not come so far"):
        watch.times()


def test_what_a_device_does_on_two_streams_at_once_counts_once() -> None:
    assert covered([(5.0, 6.0), (0.0, 2.0), (1.0, 3.0), (1.5, 1.75)]) == 4.0
    assert covered([]) == 0.0
