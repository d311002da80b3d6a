"""A study small enough to read: scratch and rotation, RGB and a fusion, one target."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, DataRef, Stage
from rotlab.tracking.journal import Journal
from rotnet.config import FinetuneConfig, FusionConfig, Modality, PretrainConfig, ScoreConfig


def make_plan(seeds: tuple[int, ...] = (0,), *, fusion: bool = True) -> Plan:
    """Return a plan of {scratch, rotation} x {rgb, fusion} x seeds; keys name their stages."""
    stages: dict[str, Stage] = {}
    cells: list[Cell] = []
    for seed in seeds:
        for init in ("scratch", "rotation"):
            rgb = _chain(stages, init, "rgb", seed)
            cells.append(_cell(init, "rgb", seed, rgb))
            if fusion:
                dif, fused = _chain(stages, init, "dif", seed), f"fuse-{init}-{seed}"
                members = {"rgb": rgb[-1], "dif": dif[-1]}
                stages[fused] = Stage(fused, "fuse", FusionConfig(), members)
                cells.append(_cell(init, "fusion", seed, (*rgb, *dif, fused)))
    axes = ("pretext.rotations", "modality", "init")
    return Plan("small", "Does it help?", axes, tuple(cells), stages)


def _chain(stages: dict[str, Stage], init: str, modality: Modality, seed: int) -> tuple[str, ...]:
    pretrain, finetune, evaluate = (
        f"{kind}-{init}-{modality}-{seed}" for kind in ("pretrain", "finetune", "evaluate")
    )
    inputs = {}
    if init == "rotation":
        stages[pretrain] = Stage(pretrain, "pretrain", PretrainConfig(modality=modality, seed=seed))
        inputs = {"backbone": pretrain}
    stages[finetune] = Stage(
        finetune,
        "finetune",
        FinetuneConfig(modality=modality, seed=seed),
        inputs,
        (DataRef("demo", "train", 1, "absent:demo"),),
    )
    stages[evaluate] = Stage(evaluate, "evaluate", ScoreConfig(), {"network": finetune})
    return (*inputs.values(), finetune, evaluate)


def _cell(init: str, modality: str, seed: int, stages: tuple[str, ...]) -> Cell:
    arm: dict[str, object] = {"modality": modality, "init": init}
    if init == "rotation":
        arm = {"pretext.rotations": 4, **arm}
    return Cell(arm, "demo", {"seed": seed, "split": 1}, "finetune", stages[-1], stages)


@pytest.fixture
def plan() -> Plan:
    return make_plan()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "study" / "journal.jsonl")
    yield journal
    journal.close()


@pytest.fixture
def study() -> Callable[..., Plan]:
    """Return the function that makes a study of given seeds."""
    return make_plan
