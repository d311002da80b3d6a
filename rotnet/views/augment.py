"""What is drawn for a training clip beside its place: colour taken away or moved, a vertical flip.

One draw holds for a whole clip, all frames alike, and is made before a clip is rotated.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from rotnet.config import ViewConfig

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def augment(
    clips: Tensor,
    views: ViewConfig,
    generator: torch.Generator,
    first: int = 0,
    whole: int | None = None,
) -> Tensor:
    """Return clips as they are shown in training.

    Args:
        clips: (B, T, H, W, 3) uint8 RGB.
        views: probabilities and distances.
        generator: on the CPU, so that a device draws what any other draws.
        first: where they lie in a batch of which they are a share.
        whole: clips of that, for all of which is drawn; None: these are all.

    Returns:
        The clips themselves where nothing is asked for; else (B, T, H, W, 3) float32 in [0, 255].
    """
    if not (views.vertical_flip or views.grey or views.chroma_drop or views.chroma_shift):
        return clips
    drawn = torch.rand(len(clips) if whole is None else whole, 6, generator=generator)
    chance = drawn[first : first + len(clips)].tolist()
    shown = [_one(clip.float(), views, draws) for clip, draws in zip(clips, chance, strict=True)]
    return torch.stack(shown)


def _one(clip: Tensor, views: ViewConfig, draws: list[float]) -> Tensor:
    """Return one clip (T, H, W, 3); draws are six numbers in [0, 1)."""
    flip, grey, drop, channel, far, direction = draws
    if views.chroma_shift:
        radius = views.chroma_shift * math.sqrt(far)  # evenly over a disc
        angle = 2 * math.pi * direction
        clip = move_chroma(clip, radius * math.cos(angle), radius * math.sin(angle))
    if grey < views.grey:
        clip = luma(clip).expand_as(clip)
    if drop < views.chroma_drop:
        kept = int(channel * 3)
        clip = clip[..., kept : kept + 1].expand_as(clip)
    return clip.flip(1) if flip < views.vertical_flip else clip


def luma(clips: Tensor) -> Tensor:
    """Return the luma (..., 1) of RGB (..., 3)."""
    return clips @ clips.new_tensor(LUMA)[:, None]


def move_chroma(clip: Tensor, right: float, down: float) -> Tensor:
    """Return a clip (T, H, W, 3) whose colour lies elsewhere than its luma, by parts of a pixel.

    Colour from beyond the border is that of the border.
    """
    grey = luma(clip)
    colour = (clip - grey).permute(0, 3, 1, 2)
    height, width = clip.shape[1:3]
    y = (torch.arange(height, device=clip.device) - down).clamp(0, height - 1)
    x = (torch.arange(width, device=clip.device) - right).clamp(0, width - 1)
    across = (2 * x + 1) / width - 1
    along = (2 * y + 1) / height - 1
    rows, columns = torch.meshgrid(along, across, indexing="ij")
    grid = torch.stack([columns, rows], dim=-1).expand(len(clip), -1, -1, -1)
    moved = grid_sample(colour, grid, mode="bilinear", align_corners=False, padding_mode="border")
    return (grey + moved.permute(0, 2, 3, 1)).clamp(0, 255)
