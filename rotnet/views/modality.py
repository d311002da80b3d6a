"""What of a clip a network sees: its frames (RGB), or how they change (DIF)."""

from functools import lru_cache

import torch
from torch import Tensor

from rotnet.config import Modality, ViewConfig
from rotnet.data.transfer import send

Triple = tuple[float, float, float]


def as_input(
    clips: Tensor, modality: Modality, views: ViewConfig, seams: Tensor | None = None
) -> Tensor:
    """Return normalised clips, as a network takes them.

    DIF is the difference of consecutive sampled frames. By default it is that after normalisation,
    as in the released code (train.py, the two lines commented out there), so that the mean cancels
    and 1/std remains; `views.dif` names the other two ways.

    Args:
        clips: (B, T, H, W, 3) RGB in [0, 255], uint8 or floating point; for DIF one frame more,
            (B, T + 1, H, W, 3).
        modality: what to show.
        views: mean and std, and how DIF is normalised.
        seams: (B, T) bool, for DIF: differences that lie across the seam of a video that starts
            again. They would show a jump that nobody made, so each repeats the difference before
            it (the next one, at the start of a clip; none at all where every one is a seam).

    Returns:
        (B, 3, T, H, W) float32.

    Raises:
        ValueError: if DIF is asked of a single frame.
    """
    if modality == "dif" and clips.shape[1] < 2:
        raise ValueError(f"DIF needs at least 2 frames, got {clips.shape[1]}")
    pixels = clips.permute(0, 4, 1, 2, 3).float()
    if modality == "dif":
        scale = _scale(_divisor(views), clips.device)
        changes = pixels[:, :, 1:] - pixels[:, :, :-1]
        if seams is not None:
            changes = _without_seams(changes, send(seams, clips.device))
        return changes.mul_(scale)
    if pixels.dtype == clips.dtype:  # they are the caller's
        pixels = pixels.clone()
    return pixels.sub_(_offset(views.mean, clips.device)).mul_(_scale(views.std, clips.device))


def _divisor(views: ViewConfig) -> Triple:
    """What differences of pixels in [0, 1] are divided by."""
    if views.dif == "norm_then_diff":
        return views.std
    if views.dif_std is not None:
        return views.dif_std
    return (1.0, 1.0, 1.0)


def _scale(divisor: Triple, device: torch.device) -> Tensor:
    """What pixels in [0, 255] are multiplied by, (3, 1, 1, 1)."""
    return 1.0 / (255.0 * _constant(divisor, device))


def _offset(mean: Triple, device: torch.device) -> Tensor:
    """What is subtracted of pixels in [0, 255], (3, 1, 1, 1)."""
    return 255.0 * _constant(mean, device)


def _constant(values: Triple, device: torch.device) -> Tensor:
    """The values on a device, (3, 1, 1, 1): kept, so that no step waits for them to be sent.

    Where a model is exported or compiled they are made anew: what is traced then is no real tensor.
    """
    make = _make_constant if torch.compiler.is_compiling() else _kept_constant
    return make(values, device)


def _make_constant(values: Triple, device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):
        return torch.tensor(values, device=device).view(3, 1, 1, 1)


_kept_constant = lru_cache(maxsize=64)(_make_constant)


def _without_seams(changes: Tensor, seams: Tensor) -> Tensor:
    """Return changes (B, 3, T, H, W) in which those at a seam repeat one that is none."""
    count = seams.shape[1]
    places = torch.arange(count, device=seams.device).expand_as(seams)
    before = torch.where(seams, -1, places).cummax(dim=1).values
    first = torch.where(seams, count, places).amin(dim=1, keepdim=True)
    source = torch.where(before >= 0, before, first)
    kept = changes * (source < count)[:, None, :, None, None]
    index = source.clamp(max=count - 1)[:, None, :, None, None].expand_as(changes)
    return kept.gather(2, index)
