"""The path from a clip to a network's input, as training takes it, with the angle that it drew."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from rotnet.config import PretextConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.pretexts.rotation import RotationPretext
from rotnet.views.augment import augment
from rotnet.views.modality import as_input

# A batch of clips and a generator -> inputs (B*k, 3, T, H, H) and degrees (B*k,) int64,
# counter-clockwise, the k views of a clip side by side.
Path = Callable[[Batch, torch.Generator], tuple[Tensor, Tensor]]


def training_path(config: PretrainConfig, device: torch.device) -> Path:
    """Return the path of a pretraining: its own code, on its device."""
    pretext = RotationPretext(config)
    angles = torch.tensor(config.pretext.angles)

    def show(clips: Tensor, seams: Tensor) -> Tensor:
        return as_input(clips, config.modality, config.views, seams)

    def path(batch: Batch, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        placed = batch.to(device)
        placed = replace(placed, clips=augment(placed.clips, config.views, chance))
        inputs, targets = pretext.make(placed, show, chance)
        return inputs, angles[targets.cpu()]

    return path


def draw_degrees(pretext: PretextConfig, clips: int, chance: torch.Generator) -> Tensor:
    """Return the angles of each clip's views, (B, k) int64 degrees: all of the set, or k of it."""
    angles = torch.tensor(pretext.angles)
    if pretext.copies == len(angles):
        return angles.expand(clips, -1)
    order = torch.rand((clips, len(angles)), generator=chance).argsort(dim=1)
    return angles[order[:, : pretext.copies]]
