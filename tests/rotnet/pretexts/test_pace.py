"""What the pace pretext makes of a batch, told from clips whose frames carry their number."""

from itertools import pairwise

import torch
from torch import Tensor

from rotnet.config import ClipConfig, Modality, PretextConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.pretexts.pace import PacePretext

FRAMES, PACES = 4, (1, 2, 3)


def pretext(modality: Modality = "rgb") -> PacePretext:
    clip = ClipConfig(frames=FRAMES, stride=2, resize=16, size=8)
    return PacePretext(
        PretrainConfig(
            clip=clip, modality=modality, pretext=PretextConfig(task="pace", paces=PACES)
        )
    )


def numbered(extra: int, count: int = 20, seam: int | None = None) -> Batch:
    """Clips whose frame t is t everywhere."""
    frames = FRAMES * max(PACES) + extra
    clips = torch.arange(frames, dtype=torch.uint8).view(1, frames, 1, 1, 1)
    seams = torch.zeros(count, FRAMES * max(PACES), dtype=torch.bool)
    if seam is not None:
        seams[:, seam] = True
    return Batch(
        clips.expand(count, frames, 2, 2, 3),
        torch.arange(count),
        torch.full((count,), -1),
        seams,
        0,
    )


def test_a_window_holds_a_clip_at_the_fastest_pace() -> None:
    assert pretext().read.frames == FRAMES * max(PACES)
    assert pretext().read.stride == 2


def test_every_pace_skips_its_frames_and_starts_where_chance_will() -> None:
    starts: dict[int, set[int]] = {pace: set() for pace in PACES}

    def show(clips: Tensor, seams: Tensor) -> Tensor:
        assert seams.shape == (len(clips), FRAMES)
        return clips.permute(0, 4, 1, 2, 3).float()

    views, targets = pretext().make(numbered(0), show, torch.Generator().manual_seed(0))
    assert targets.tolist() == [0, 1, 2] * 20
    for view, target in zip(views, targets, strict=True):
        frames = view[0, :, 0, 0]
        pace = PACES[int(target)]
        assert (frames[1:] - frames[:-1]).tolist() == [pace] * (FRAMES - 1)
        starts[pace].add(int(frames[0]))
    assert starts[3] == {0}
    assert starts[1] <= set(range(9))
    assert len(starts[1]) > 4


def test_dif_sees_one_frame_more_at_the_same_pace_and_knows_which_change_is_a_seam() -> None:
    seen = []

    def show(clips: Tensor, seams: Tensor) -> Tensor:
        for clip, across in zip(clips[:, :, 0, 0, 0].tolist(), seams.tolist(), strict=True):
            pairs = pairwise(clip)
            assert across == [before <= 5 < after for before, after in pairs]
            seen.append(len(clip))
        return clips[:, 1:].permute(0, 4, 1, 2, 3).float()

    pretext("dif").make(numbered(1, seam=5), show, torch.Generator().manual_seed(0))
    assert set(seen) == {FRAMES + 1}
