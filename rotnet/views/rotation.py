"""The pretext: every clip in every rotation of a set, and which one each copy is."""

from collections.abc import Sequence

import torch
from torch import Tensor


def rotate_all(clips: Tensor, angles: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return every clip in each rotation of a set, and which one each copy is.

    Quarter turns move pixels and never mix them. The copies of a clip lie side by side, as in
    RotNet, so that any part of a batch made of whole clips holds every rotation equally often and
    its batch statistics tell nothing.

    Args:
        clips: (B, C, T, H, W), with H == W.
        angles: K of them in degrees counter-clockwise, multiples of 90.

    Returns:
        Clips (B*K, C, T, H, W), clip 0 in all K rotations first, and labels (B*K,) int64; label k
        is angles[k].

    Raises:
        ValueError: if H != W, as a turned rectangle would not fit its own frame, or if an angle is
            no quarter turn.
    """
    if clips.shape[-1] != clips.shape[-2]:
        raise ValueError(
            f"clips must be square to be rotated, got H={clips.shape[-2]}, W={clips.shape[-1]}"
        )
    oblique = [angle for angle in angles if angle % 90]
    if oblique:
        raise ValueError(f"angles must be multiples of 90 degrees, got {oblique}")
    copies = torch.stack([torch.rot90(clips, angle // 90, (-2, -1)) for angle in angles], dim=1)
    labels = torch.arange(len(angles), device=clips.device).repeat(len(clips))
    return copies.flatten(0, 1), labels


def random_labels(videos: Tensor, num_angles: int, seed: int) -> Tensor:
    """Return the control's labels: drawn once by chance for each video and rotation.

    Args:
        videos: (B,) int64 indices of videos.
        num_angles: K.
        seed: of the pretraining.

    Returns:
        (B*K,) int64 in [0, K), in the order of `rotate_all`.
    """
    labels = [
        torch.randint(
            num_angles,
            (num_angles,),
            generator=torch.Generator().manual_seed(seed * 1_000_003 + video),
        )
        for video in videos.tolist()
    ]
    return torch.cat(labels).to(videos.device)
