"""A contact sheet: a training batch as people can see it, each view with its label."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from rotnet.config import Modality, ViewConfig
from rotnet.evaluation.training_batch import TrainingBatch
from rotnet.pictures.grid import picture_grid
from rotnet.views.modality import as_input

COLUMNS = 4  # where every clip has one view


def sheet_picture(
    batch: TrainingBatch,
    modality: Modality,
    views: ViewConfig,
    *,
    clips: int,
    frames: int,
    title: str = "",
) -> Image.Image:
    """Return a batch's views with their labels, a few frames of each side by side.

    Where a clip has several views they form a row, named after the video.

    Args:
        batch: to draw.
        modality: of its inputs.
        views: how they were normalised.
        clips: how many of its clips are drawn, the first ones.
        frames: of each view, spread over it.
        title: one line.
    """
    shown = min(clips, len(batch.videos))
    inputs = batch.inputs[: shown * batch.copies]
    labels = list(batch.labels[: shown * batch.copies])
    strips = _strips(as_pixels(inputs, modality, views), frames)
    if batch.copies > 1:
        columns, names = batch.copies, list(batch.videos[:shown])
    else:
        columns = min(COLUMNS, shown)
        names = [""] * -(-shown // columns)
    missing = -len(strips) % columns
    blank = np.full((missing, *strips.shape[1:]), 255, dtype=np.uint8)
    cells = np.concatenate([strips, blank]).reshape(len(names), columns, *strips.shape[1:])
    return picture_grid(
        cells, rows=names, columns=[""] * columns, captions=labels + [""] * missing, title=title
    )


def as_pixels(inputs: Tensor, modality: Modality, views: ViewConfig) -> NDArray[np.uint8]:
    """Return network inputs as pixels, normalisation undone.

    A difference of frames is added to mid-grey: no change is 128, and changes of half the range
    of brightness, or more, are black or white.

    Args:
        inputs: (N, 3, T, H, W), as `rotnet.views.modality.as_input` makes them.
        modality: of the inputs.
        views: how they were normalised.

    Returns:
        (N, T, H, W, 3) uint8 RGB.
    """
    # Normalisation is a line for each channel: what it makes of 0 and of 255 says which.
    ends = torch.tensor([0.0, 255.0]).view(1, 2, 1, 1, 1).expand(1, 2, 1, 1, 3)
    if modality == "dif":
        offset, scale = 128.0, 255.0 / as_input(ends, modality, views)[:, :, :1]
        lowest = torch.zeros(1)
    else:
        low, high = as_input(ends, modality, views).split(1, dim=2)
        offset, scale, lowest = 0.0, 255.0 / (high - low), low
    pixels = (inputs.cpu() - lowest) * scale + offset
    return pixels.round().clamp(0, 255).byte().permute(0, 2, 3, 4, 1).numpy()


def _strips(pixels: NDArray[np.uint8], frames: int) -> NDArray[np.uint8]:
    """Return (N, H, ..., 3): frames spread over each clip, first to last, a white line between."""
    last = pixels.shape[1] - 1
    count = min(frames, last + 1)
    chosen = [last // 2] if count == 1 else [round(last * n / (count - 1)) for n in range(count)]
    line = np.full_like(pixels[:, 0, :, :1], 255)
    parts = [part for frame in chosen for part in (line, pixels[:, frame])]
    return np.concatenate(parts[1:], axis=2)
