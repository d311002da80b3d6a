"""Attention maps as the paper defines them: where a stage is active, whatever for. Tensors only.

Fig. 1 of arXiv 1811.11387 averages the activations of a layer over its channels; there is no
gradient and no class in it. The released code (visualize_attention.py) does so for each slice of
time, at the second stage.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from rotnet.errors import UserError, offer
from rotnet.models.net import VideoNet

STAGE = "layer2"
_CLIPS_AT_ONCE = 8


def attention_to(model: VideoNet, clips: Tensor, stage: str) -> Tensor:
    """Return the attention of a network to clips.

    Args:
        model: in eval mode, on the clips' device.
        clips: (B, 3, T, H, W) network inputs, H == W.
        stage: one of model.stages.

    Returns:
        (B, T, H, W) float32 in [0, 1]; of a turned clip, it lies as that does.

    Raises:
        UserError: if the network has no such stage.
    """
    check_stage(model, stage)
    with torch.inference_mode():
        found = [
            attention(model.maps(some)[stage], (clips.shape[2], clips.shape[3]))
            for some in clips.split(_CLIPS_AT_ONCE)
        ]
    return torch.cat(found)


def attention(maps: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the mean over channels, brought to [0, 1] for each clip and to the clip's size.

    All slices of a clip share one minimum and one maximum, so that they compare; a clip whose map
    is the same everywhere attends to nothing, and gets 0. In space, values between are bilinear; in
    time, a frame shows the slice that it falls into (`slice_of`), as no activation lies between.

    Args:
        maps: (B, C, T', H', W') activations.
        shape: T and H = W of the clip.

    Returns:
        (B, T, H, H) float32.
    """
    frames, side = shape
    mean = maps.float().mean(dim=1)
    low = mean.amin(dim=(1, 2, 3), keepdim=True)
    span = mean.amax(dim=(1, 2, 3), keepdim=True) - low
    unit = torch.where(span > 0, (mean - low) / span.clamp_min(torch.finfo().tiny), 0.0)
    resized = interpolate(unit, (side, side), mode="bilinear").clamp(0.0, 1.0)
    slices = [slice_of(frame, frames, maps.shape[2]) for frame in range(frames)]
    return resized[:, slices]


def slice_of(frame: int, num_frames: int, num_slices: int) -> int:
    """Return the slice of time that a frame falls into: with 16 frames and 4, frames [8, 12) in 2.

    Where there are more slices than frames, the one at the frame's beginning.
    """
    return frame * num_slices // num_frames


def check_stage(model: VideoNet, stage: str, name: str = "the network") -> None:
    """Raise UserError unless the network has a stage of that name; it lists those there are."""
    if stage not in model.stages:
        raise UserError(f"{name} has no stage {stage!r}; {offer(stage, model.stages)}")
