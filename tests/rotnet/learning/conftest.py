"""Small settings and watches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rotnet.config import (
    ClipConfig,
    FinetuneConfig,
    ModelConfig,
    PretrainConfig,
    RuntimeConfig,
    TrainConfig,
    TuneConfig,
)
from rotnet.learning.watch import StopWish

CLIP = ClipConfig(frames=4, stride=4, resize=24, size=20)
MODEL = ModelConfig(width=2, hidden=8)
TRAIN = TrainConfig(
    epochs=3, batch_size=4, lr=0.05, schedule="cosine", warmup_epochs=1, val_fraction=0.2
)
TUNE = TuneConfig.model_validate(TRAIN.model_dump())
RUNTIME = RuntimeConfig(checkpoint_s=0.0)


@dataclass
class Recorder:
    """Writes down what it hears, and wishes to stop at a step."""

    stop_at: int | None = None
    wish: StopWish = "now"
    reports: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    saves: list[int] = field(default_factory=list)
    asked: int = 0

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        self.reports.append((step, dict(metrics)))

    def saved(self, step: int, path: Path) -> None:
        assert path.is_file()
        self.saves.append(step)

    def should_stop(self) -> StopWish:
        self.asked += 1
        return self.wish if self.asked == self.stop_at else "no"


@pytest.fixture
def small_pretrain() -> PretrainConfig:
    return PretrainConfig(clip=CLIP, model=MODEL, pretrain=TRAIN, runtime=RUNTIME)


@pytest.fixture
def small_finetune() -> FinetuneConfig:
    return FinetuneConfig(clip=CLIP, model=MODEL, finetune=TUNE, runtime=RUNTIME)


@pytest.fixture
def make_recorder() -> type[Recorder]:
    return Recorder
