"""A saved network, opened to look at clips: the model with the settings that its clips need."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from rotnet.config import ClipConfig, FinetuneConfig, PretrainConfig, RuntimeConfig
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.video import VideoSet
from rotnet.errors import CheckpointError
from rotnet.evaluation.inputs import network_input, scoring_loader
from rotnet.learning.checkpoint import CONVERTED, load_network, make_model
from rotnet.learning.device import autocast, find_device
from rotnet.models.batchnorm import reestimate
from rotnet.models.net import VideoNet, build

_CLIPS_AT_ONCE = 16  # at least, where there are so many: of few, statistics say little

_CONFIGS: dict[str, type[PretrainConfig] | type[FinetuneConfig]] = {
    "pretrain": PretrainConfig,
    "finetune": FinetuneConfig,
    CONVERTED: PretrainConfig,  # of which it has the settings that say how it sees
}


@dataclass(frozen=True)
class Opened:
    """A network in eval mode on its device, and how it was trained to see.

    Args:
        name: what people call it.
        kind: "pretrain", "finetune", "converted" for others' weights, or "random".
        config: the settings it was trained with.
        classes: what it tells apart; none where it has no head.
        model: the network.
        device: where it is.
    """

    name: str
    kind: str
    config: PretrainConfig | FinetuneConfig
    classes: tuple[str, ...]
    model: VideoNet
    device: torch.device

    def __repr__(self) -> str:
        return f"Opened({self.name}, {self.config.modality}, {len(self.classes)} outputs)"

    def loader(
        self, videos: VideoSet, runtime: RuntimeConfig, clip: ClipConfig | None = None
    ) -> ClipLoader:
        """Return what reads clips of videos, its own unless others are given, leaving none out.

        Raises:
            DataError: if there is no video.
        """
        return scoring_loader(videos, clip or self.config.clip, self.config.modality, runtime)

    def see(self, batch: Batch) -> Tensor:
        """Return a batch as the network takes it, (B, 3, T, H, W), on its device."""
        return network_input(self.config.modality, self.config.views, self.device)(batch)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Give the context of its forward passes: no gradients, the precision it learnt in."""
        config = self.config
        training = config.pretrain if isinstance(config, PretrainConfig) else config.finetune
        with torch.inference_mode(), autocast(training, self.device):
            yield


def open_network(folder: Path) -> Opened:
    """Return the network in a stage's folder, named after the folder.

    Raises:
        CheckpointError: if there is none, it cannot be read, or is of a kind not known here.
    """
    saved = load_network(folder)
    if saved.kind not in _CONFIGS:
        raise CheckpointError(
            f"{folder}: holds a {saved.kind!r} network; known are {', '.join(_CONFIGS)}"
        )
    config = _CONFIGS[saved.kind].model_validate(saved.config)
    device = find_device()
    try:
        model = make_model(saved)
    except CheckpointError as error:
        raise CheckpointError(f"{folder}: {error}") from None
    model.to(device).to(memory_format=torch.channels_last_3d)
    model.eval()
    return Opened(folder.resolve().name, saved.kind, config, saved.classes, model, device)


def random_like(opened: Opened, shown: Iterable[Tensor], seed: int) -> Opened:
    """Return a network of the same stages with random weights, which sees what the other sees.

    Its batch normalisation has seen nothing yet, so the statistics are taken from the clips it is
    to be shown (`rotnet.models.batchnorm.reestimate`).

    Args:
        opened: the other one.
        shown: network inputs, (B, 3, T, H, W) each, such as a clip in all its rotations: none is
            torn apart.
        seed: of the weights.
    """
    model = build(opened.config.model, 1, seed)
    model.to(opened.device).to(memory_format=torch.channels_last_3d)
    with opened.looking():
        reestimate(model, _gathered(shown))
    return replace(opened, name="random", kind="random", classes=(), model=model)


def _gathered(shown: Iterable[Tensor]) -> Iterator[Tensor]:
    """Yield them in batches of at least so many clips, but for the last."""
    waiting: list[Tensor] = []
    for clips in shown:
        waiting.append(clips)
        if sum(map(len, waiting)) >= _CLIPS_AT_ONCE:
            yield torch.cat(waiting)
            waiting = []
    if waiting:
        yield torch.cat(waiting)
