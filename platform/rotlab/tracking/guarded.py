"""A network that says itself which clips it takes, also where it is loaded without our code.

A program that torch exports holds sizes by guards, which name a failed comparison and not what is
wanted. So sizes are left open there, and are asked for within the program.
"""

import torch
from torch import Tensor, nn

SIDES = ("frames", "height", "width", "channels")


class Guarded(nn.Module):
    """A network of clips (B, frames, height, width, 3), all sizes but B of which are asked for.

    Args:
        module: that takes them.
        clip: frames, height, width and 3.
    """

    def __init__(self, module: nn.Module, clip: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.module = module
        self.clip = clip
        self.eval()

    def forward(self, clips: Tensor) -> Tensor:
        """Return what the network does.

        Raises:
            RuntimeError: clips are of another size.
        """
        wanted = ", ".join(map(str, self.clip))
        for side, (name, size) in enumerate(zip(SIDES, self.clip, strict=True), 1):
            said = f"clips must be (B, {wanted}), got another number for {name}, which must be"
            torch._assert_async(torch.scalar_tensor(clips.shape[side]) == size, f"{said} {size}")
        for side, size in enumerate(self.clip, 1):  # takes all, but its size is a number then
            clips = clips.index_select(side, torch.arange(size))
        return self.module(clips)
