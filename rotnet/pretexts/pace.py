"""A second pretext: how many times faster than it was a clip is played.

After pace prediction (Wang et al., ECCV 2020, arXiv 2008.05861): frames are skipped, and the
network says how many. Here all paces of a clip stand side by side, each from a moment of its own
within one window, so that where in the window a clip lies tells nothing of its pace.
"""

import torch
from torch import Tensor

from rotnet.config import ClipConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.pretexts.objective import CrossEntropy
from rotnet.pretexts.pretext import Show


class PacePretext(CrossEntropy):
    """Every clip at every pace, side by side.

    Args:
        config: paces and the clip's length.
    """

    divides = True

    def __init__(self, config: PretrainConfig) -> None:
        self._paces = config.pretext.paces
        self._frames = config.clip.frames
        self._extra = config.modality == "dif"
        self.num_outputs = self.copies = len(self._paces)
        self.names = tuple(str(pace) for pace in self._paces)
        self.read: ClipConfig = config.clip.model_copy(
            update={"frames": self._frames * max(self._paces)}
        )

    def make(self, batch: Batch, show: Show, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return clips (B * paces, 3, T, size, size) and the index of each one's pace."""
        count, device = len(batch.clips), batch.clips.device
        moments = batch.own(torch.rand(batch.size, len(self._paces), generator=chance))
        clips, seams = [], []
        for number in range(count):
            for index, pace in enumerate(self._paces):
                chosen = self._chosen(pace, float(moments[number, index]))
                shown = chosen + [chosen[-1] + pace] * self._extra
                clips.append(batch.clips[number, shown])
                across = batch.seams[number]
                seams.append(torch.stack([across[at : at + pace].any() for at in chosen]))
        targets = torch.arange(len(self._paces), device=device).repeat(count)
        return show(torch.stack(clips), torch.stack(seams)), targets

    def _chosen(self, pace: int, moment: float) -> list[int]:
        """Return which of the frames read a clip of a pace shows; `moment` in [0, 1)."""
        room = (max(self._paces) - pace) * self._frames
        start = int(moment * (room + 1))
        return list(range(start, start + pace * self._frames, pace))
