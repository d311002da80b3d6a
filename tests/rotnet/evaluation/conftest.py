"""Small networks with random weights, saved as a training would leave them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.config import ClipConfig, FinetuneConfig, ModelConfig, PretrainConfig, RuntimeConfig
from rotnet.data.video import VideoSet
from rotnet.learning.checkpoint import Network, save_network
from rotnet.models.net import build

CLIP = ClipConfig(frames=4, stride=4, resize=24, size=20)
MODEL = ModelConfig(width=2, hidden=8)
RUNTIME = RuntimeConfig(workers=0)


@pytest.fixture
def small() -> dict[str, object]:
    """Sections of settings that make everything small."""
    return {"clip": CLIP, "model": MODEL, "runtime": RUNTIME}


@pytest.fixture
def saved(tmp_path: Path, small: dict[str, object]) -> Callable[..., Path]:
    """Save a network that has seen a split of a set, and return its folder."""

    def save(
        videos: VideoSet, *, kind: str = "finetune", name: str = "", **settings: object
    ) -> Path:
        folder = tmp_path / (name or kind)
        folder.mkdir()
        make = FinetuneConfig if kind == "finetune" else PretrainConfig
        config = make.model_validate({**small, **settings})
        classes = videos.classes if kind == "finetune" else ("0", "90", "180", "270")
        save_network(
            Network(
                kind=kind,
                config=config.model_dump(mode="json"),
                classes=classes,
                data=videos.fingerprint,
                split=videos.split,
                weights=build(config.model, len(classes), config.seed).state_dict(),
            ),
            folder,
        )
        return folder

    return save
