"""A package adds a pretext by entry point, without a fork: the arrow of time."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn.functional import cross_entropy

from rotnet import registry
from rotnet.config import ClipConfig, ModelConfig, PretextConfig, PretrainConfig, TrainConfig
from rotnet.data.loader import Batch
from rotnet.data.manifest import Manifest
from rotnet.learning.pretrain import pretrain
from rotnet.learning.watch import Unwatched

Show = Callable[[Tensor, Tensor], Tensor]


class Arrow:
    """Is a clip played forwards or backwards?"""

    copies = num_outputs = 2
    names = ("forwards", "backwards")

    def __init__(self, config: PretrainConfig) -> None:
        self.read = config.clip
        self.weight = float(config.pretext.options.get("weight", 1.0))  # type: ignore[arg-type]

    def make(self, batch: Batch, show: Show, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        del chance
        clips = show(batch.clips, batch.seams)
        views = torch.stack([clips, clips.flip(2)], dim=1).flatten(0, 1)
        return views, torch.arange(2).repeat(len(clips))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self.weight * cross_entropy(outputs, targets)

    def predict(self, outputs: Tensor) -> Tensor:
        return outputs.argmax(1)

    def measure(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        return {"margin": (outputs[:, 0] - outputs[:, 1]).abs() + 0 * targets}


class Point:
    """An entry point, as importlib.metadata gives it."""

    value = "a_package:Arrow"

    def load(self) -> Any:
        return Arrow


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"rotnet.pretexts": {"arrow": Point()}}
    monkeypatch.setattr(registry, "_points", lambda group: points.get(group, {}))


@pytest.mark.usefixtures("registered")
def test_a_registered_pretext_trains_and_is_judged_by_its_own_measure(
    tmp_path: Path, pool: Manifest
) -> None:
    config = PretrainConfig(
        clip=ClipConfig(frames=4, stride=4, resize=24, size=20),
        model=ModelConfig(width=2, hidden=8),
        pretext=PretextConfig(task="arrow", options={"weight": 2.0}),
        pretrain=TrainConfig(epochs=1, batch_size=4, lr=0.01, val_fraction=0.25),
    )
    metrics = pretrain(config, pool.select("pretrain"), tmp_path, Unwatched())
    assert {"val_accuracy_forwards", "val_accuracy_backwards", "val_margin"} <= metrics.keys()


@pytest.mark.usefixtures("registered")
def test_rotation_settings_are_not_for_a_registered_pretext() -> None:
    with pytest.raises(ValidationError, match="rotations is not for the task 'arrow'"):
        PretextConfig(task="arrow", rotations=2)


def test_options_are_not_for_rotation_and_an_unknown_task_is_named() -> None:
    with pytest.raises(ValidationError, match="options is not for the task 'rotation'"):
        PretextConfig(options={"weight": 2.0})
    with pytest.raises(ValidationError, match="unknown pretext 'arrow'"):
        PretextConfig(task="arrow")
