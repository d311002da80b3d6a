"""The pretext of 3DRotNet: which rotation of a set was applied to the clip."""

from collections.abc import Mapping

import torch
from torch import Tensor

from rotnet.config import PretrainConfig
from rotnet.data.loader import Batch
from rotnet.data.transfer import send
from rotnet.pretexts.pretext import Show
from rotnet.pretexts.targets import TARGETS
from rotnet.views.resample import dithered, turn
from rotnet.views.room import SHIFT, read_for
from rotnet.views.rotation import quarter_turns


class RotationPretext:
    """Every clip in all rotations of a set, or in a few drawn from it, side by side.

    The released code shows all four (train.py there), in blocks by rotation; side by side, as in
    RotNet, the batch statistics of any part of a batch tell nothing.

    Args:
        config: rotation set, path, views and target.
    """

    divides = True

    def __init__(self, config: PretrainConfig) -> None:
        pretext = config.pretext
        self._angles = torch.tensor(pretext.angles)
        self._resampled, self._jitter = pretext.resampled, pretext.max_jitter
        self._size = config.clip.size
        self._target = TARGETS[pretext.target](pretext)
        self.num_outputs = self._target.num_outputs
        self.names = tuple(str(angle) for angle in pretext.angles)
        self.copies = pretext.copies
        self.read = read_for(config)

    def make(self, batch: Batch, show: Show, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return rotated clips (B * copies, 3, T, size, size) and the index of each one's angle."""
        chosen = batch.own(self._choose(batch.size, chance))
        targets = send(chosen.flatten(), batch.clips.device)
        if self._resampled:
            all_views = (batch.size, self.copies)
            jitter = batch.own(_evenly(all_views, self._jitter, chance))
            shifts = batch.own(_evenly((*all_views, 2), SHIFT, chance))
            pixels = batch.clips.permute(0, 4, 1, 2, 3).float()
            views = turn(pixels, self._angles[chosen] + jitter, shifts, self._size)
            first, whole = batch.first * self.copies, batch.size * self.copies
            views = dithered(views, chance, first, whole).permute(0, 2, 3, 4, 1)
            return show(views, batch.seams.repeat_interleave(self.copies, dim=0)), targets
        clips = show(batch.clips, batch.seams)
        edge = (clips.shape[-1] - self._size) // 2
        centre = clips[..., edge : edge + self._size, edge : edge + self._size]
        return quarter_turns(centre, self._angles[chosen] // 90), targets

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss, a scalar."""
        return self._target.loss(outputs, targets)

    def predict(self, outputs: Tensor) -> Tensor:
        """Return the index (N,) of the angle that outputs speak for."""
        return self._target.predict(outputs)

    def measure(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        """Return the circular error in degrees."""
        return self._target.measure(outputs, targets)

    def _choose(self, count: int, chance: torch.Generator) -> Tensor:
        """Return indices of angles (count, copies), different ones for each clip."""
        num_angles = len(self._angles)
        if self.copies == num_angles:
            return torch.arange(num_angles).expand(count, -1)
        order = torch.rand(count, num_angles, generator=chance).argsort(dim=1)
        return order[:, : self.copies]


def _evenly(shape: tuple[int, ...], limit: float, chance: torch.Generator) -> Tensor:
    return (2 * torch.rand(shape, generator=chance) - 1) * limit
