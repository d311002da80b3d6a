"""Quarter turns of clips, and labels drawn by chance for the control."""

import torch
from torch import Tensor

from rotnet.data.transfer import send


def quarter_turns(clips: Tensor, turns: Tensor) -> Tensor:
    """Return clips turned counter-clockwise by quarter turns, each clip by several.

    Quarter turns move pixels and never mix them. A clip's turns lie side by side, as in RotNet, so
    that any part of a batch made of whole clips holds every rotation equally often and its batch
    statistics tell nothing.

    Args:
        clips: (B, C, T, H, W), with H == W.
        turns: (B, n) whole numbers on the CPU, n for each clip; 1 is 90 degrees.

    Returns:
        (B * n, C, T, H, W), clip 0 in all of its turns first, channels last in memory, as
        convolutions read them fastest.

    Raises:
        ValueError: if H != W: a turned rectangle would not fit its own frame.
    """
    if clips.shape[-1] != clips.shape[-2]:
        raise ValueError(
            f"clips must be square to be rotated, got H={clips.shape[-2]}, W={clips.shape[-1]}"
        )
    batch, channels, *sides = clips.shape
    views = clips.new_empty((batch, turns.shape[1], *sides, channels)).permute(0, 1, 5, 2, 3, 4)
    quarters = turns % 4
    if (quarters == quarters[:1]).all():  # nothing has to be picked by an index
        for place, turn in enumerate(quarters[0].tolist()):
            views[:, place] = torch.rot90(clips, turn, (-2, -1))
        return views.flatten(0, 1)
    for turn in range(4):
        found = (quarters == turn).nonzero(as_tuple=True)
        which, where = (send(one, clips.device) for one in found)
        views[which, where] = torch.rot90(clips[which], turn, (-2, -1))
    return views.flatten(0, 1)


def random_labels(videos: Tensor, num_labels: int, seed: int) -> Tensor:
    """Return the control's labels: drawn once by chance for each video and rotation.

    Args:
        videos: (B,) int64 indices of videos.
        num_labels: K.
        seed: of the pretraining.

    Returns:
        (B, K) int64 in [0, K): the label of each video's rotation k.
    """
    labels = [
        torch.randint(
            num_labels,
            (num_labels,),
            generator=torch.Generator().manual_seed(seed * 1_000_003 + video),
        )
        for video in videos.tolist()
    ]
    return torch.stack(labels).to(videos.device)
