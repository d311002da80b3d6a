"""What the rotation pretext makes of a batch."""

import pytest
import torch
from torch import Tensor

from rotnet.config import ClipConfig, PretextConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.pretexts.rotation import RotationPretext
from rotnet.views.resample import DITHER
from rotnet.views.room import source_side

SIZE = 8


def pretext(**settings: object) -> RotationPretext:
    clip = ClipConfig(frames=3, stride=1, resize=16, size=SIZE)
    return RotationPretext(
        PretrainConfig(clip=clip, pretext=PretextConfig.model_validate(settings))
    )


def batch(side: int, count: int = 3) -> Batch:
    draws = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, (count, 3, side, side, 3), generator=draws).to(torch.uint8)
    seams = torch.zeros(count, 3, dtype=torch.bool)
    return Batch(clips, torch.arange(count), torch.full((count,), -1), seams, 0)


def show(clips: Tensor, seams: Tensor) -> Tensor:
    assert seams.shape == (len(clips), 3)
    assert clips.shape[-1] == 3
    return clips.permute(0, 4, 1, 2, 3).float()


def make(one: RotationPretext, count: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    return one.make(batch(one.read.size, count), show, torch.Generator().manual_seed(seed))


def test_by_default_every_clip_is_shown_in_all_rotations_side_by_side() -> None:
    one = pretext()
    assert one.read.size == SIZE
    views, targets = make(one)
    assert targets.tolist() == [0, 1, 2, 3] * 3
    upright = show(batch(SIZE).clips, batch(SIZE).seams)
    for index, view in enumerate(views):
        assert torch.equal(view, torch.rot90(upright[index // 4], index % 4, (-2, -1)))


def test_a_set_of_ones_own_labels_its_angles_in_its_order() -> None:
    views, targets = make(pretext(rotations={"angles": [270, 90]}))
    upright = show(batch(SIZE).clips, batch(SIZE).seams)
    assert targets.tolist() == [0, 1] * 3
    assert torch.equal(views[0], torch.rot90(upright[0], 3, (-2, -1)))
    assert torch.equal(views[1], torch.rot90(upright[0], 1, (-2, -1)))


def test_views_are_different_angles_of_the_set_drawn_anew_for_each_clip() -> None:
    one = pretext(rotations=360, views=5)
    views, targets = make(one, count=40)
    assert views.shape == (200, 3, 3, SIZE, SIZE)
    drawn = targets.view(40, 5)
    assert all(len(set(row.tolist())) == 5 for row in drawn)
    assert len(set(targets.tolist())) > 120
    assert targets.max() >= 300
    assert targets.min() < 60


def test_equal_chance_makes_equal_views() -> None:
    one = pretext(rotations=8)
    for first, second in zip(make(one), make(one), strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(make(one)[0], make(one, seed=1)[0])


def test_the_resampled_path_reads_a_square_that_holds_every_rotation() -> None:
    one = pretext(rotations=8)
    assert one.read.size >= source_side(SIZE)
    assert one.read.resize >= one.read.size
    assert make(one)[0].shape == (24, 3, 3, SIZE, SIZE)


def test_quarter_turns_by_the_exact_path_can_lie_where_the_resampled_path_would() -> None:
    resampled, exact = pretext(path="resampled"), pretext(room="any_angle")
    assert exact.read == resampled.read
    views, _ = make(exact)
    edge = (exact.read.size - SIZE) // 2
    assert 2 * edge + SIZE == exact.read.size
    centre = show(batch(exact.read.size).clips, batch(exact.read.size).seams)
    assert torch.equal(views[0], centre[0, ..., edge:-edge, edge:-edge])


def test_resampled_quarter_turns_differ_by_less_than_the_jitter_from_exact_ones() -> None:
    smooth = torch.linspace(0, 255, 64 * 64).view(1, 1, 64, 64, 1)
    one = pretext(path="resampled", jitter=0.0)
    side = one.read.size
    clips = smooth[:, :, :side, :side].expand(1, 3, side, side, 3)
    seams = torch.zeros(1, 3, dtype=torch.bool)
    given = Batch(clips, torch.arange(1), torch.tensor([-1]), seams, 0)
    views, _ = one.make(given, show, torch.Generator().manual_seed(0))
    exact, _ = pretext(room="any_angle").make(given, show, torch.Generator())
    step = float(smooth[0, 0, 1, 0, 0] - smooth[0, 0, 0, 0, 0])
    assert (views - exact).abs().max() < 0.6 * step + 6 * DITHER  # half a pixel of random shift


@pytest.mark.parametrize("target", ["softmax", "sincos", "scalar"])
def test_a_target_says_how_many_outputs_it_takes(target: str) -> None:
    counts = {"softmax": 4, "sincos": 2, "scalar": 1}
    assert pretext(target=target).num_outputs == counts[target]
    assert pretext(target=target).names == ("0", "90", "180", "270")
