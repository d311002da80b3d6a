"""Views of a source by a path, as the two probes look at them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rotnet.config import Modality, ViewConfig
from rotnet.doctor.features import features_of
from rotnet.doctor.path import Path
from rotnet.doctor.source import Part, Source
from rotnet.views.augment import LUMA

# Inputs (N, 3, T, H, H) -> what of them a probe sees, (N, C, T, H, H).
Look = Callable[[Tensor], Tensor]
SHOWN = 2  # frames of a view that the convolutional probe sees


@dataclass(frozen=True)
class Sample:
    """Views, and what they are.

    Args:
        features: (N, D) float32, for the linear probe.
        pictures: (N, C, 2, H, H) float16, for the convolutional one; half precision also takes
            away what is left of the arithmetic's rounding, which no training would see.
        degrees: (N,) int64, how each is turned.
        videos: (N,) int64, which video each is of.
    """

    features: Tensor
    pictures: Tensor
    degrees: Tensor
    videos: Tensor


def gather(
    path: Path,
    source: Source,
    part: Part,
    clips: int,
    looks: Mapping[str, Look],
    chance: torch.Generator,
    spoil: Callable[[Tensor], Tensor] | None = None,
) -> dict[str, Sample]:
    """Take clips through a path, and return the views once for each way to look at them.

    Args:
        path: from clips to inputs.
        source: of the clips.
        part: of the source.
        clips: how many.
        looks: name -> what of a view is looked at.
        chance: what the path draws from.
        spoil: what happens to the clips before.
    """
    rows: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in looks}
    degrees, videos = [], []
    for batch in source.batches(part, clips):
        if spoil:
            batch = replace(batch, clips=spoil(batch.clips))
        with torch.no_grad():
            inputs, angles = path(batch, chance)
            for name, look in looks.items():
                seen = look(inputs)
                step = max(1, seen.shape[2] // SHOWN)
                shown = seen[:, :, ::step][:, :, :SHOWN].half().cpu()
                rows[name].append((features_of(seen).cpu(), shown))
        degrees.append(angles)
        videos.append(batch.videos.repeat_interleave(len(angles) // len(batch.videos)))
    return {
        name: Sample(
            torch.cat([features for features, _ in found]),
            torch.cat([pictures for _, pictures in found]),
            torch.cat(degrees),
            torch.cat(videos),
        )
        for name, found in rows.items()
    }


def everything(inputs: Tensor) -> Tensor:
    """Return all of the inputs (N, 3, T, H, H)."""
    return inputs


def luma(modality: Modality, views: ViewConfig) -> Look:
    """Return a look at brightness alone, (N, 1, T, H, H): BT.601's, in the first channel's units.

    What the channels of inputs were divided by is undone, so that the weights are those of pixels.
    """
    std = views.std
    if modality == "dif" and views.dif != "norm_then_diff":
        std = views.dif_std or (1.0, 1.0, 1.0)
    weights = torch.tensor([weight * s / std[0] for weight, s in zip(LUMA, std, strict=True)])

    def look(inputs: Tensor) -> Tensor:
        return (inputs * weights.to(inputs.device).view(1, 3, 1, 1, 1)).sum(dim=1, keepdim=True)

    return look
