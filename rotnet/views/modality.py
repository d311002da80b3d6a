"""What of a clip a network sees: its frames (RGB), or how they change (DIF)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from rotnet.config import Modality


def as_input(
    clips: Tensor, modality: Modality, *, mean: Sequence[float], std: Sequence[float]
) -> Tensor:
    """Return normalised clips, as a network takes them.

    DIF is the difference of consecutive sampled frames after normalisation, as in the released code
    (train.py, the two lines commented out there), so that the mean cancels and 1/std remains.

    Args:
        clips: (B, T, H, W, 3) uint8 RGB; for DIF one frame more, (B, T + 1, H, W, 3).
        modality: what to show.
        mean: per channel, of pixels in [0, 1].
        std: likewise.

    Returns:
        (B, 3, T, H, W) float32.

    Raises:
        ValueError: if DIF is asked of a single frame.
    """
    if modality == "dif" and clips.shape[1] < 2:
        raise ValueError(f"DIF needs at least 2 frames, got {clips.shape[1]}")
    scale = 1.0 / (255.0 * torch.tensor(std, device=clips.device))
    pixels = clips.permute(0, 4, 1, 2, 3).float()
    if modality == "dif":
        return (pixels[:, :, 1:] - pixels[:, :, :-1]) * scale.view(1, 3, 1, 1, 1)
    offset = 255.0 * torch.tensor(mean, device=clips.device)
    return (pixels - offset.view(1, 3, 1, 1, 1)) * scale.view(1, 3, 1, 1, 1)
