"""How clips are turned for networks side by side, where the truth is known by construction."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rotnet.config import ClipConfig, PretextConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.data.manifest import Manifest
from rotnet.errors import UserError
from rotnet.evaluation.opened import open_network, random_like
from rotnet.evaluation.turning import Turning, turning_of, unlike
from rotnet.pretexts.rotation import RotationPretext

Save = Callable[..., Path]
SIZE = 20
CLIP = ClipConfig(frames=2, stride=1, resize=24, size=SIZE)
QUARTERS = (0, 90, 180, 270)


def batch_of(clips: Tensor) -> Batch:
    """Return clips (B, T, H, W, 3) as a loader gives them."""
    count = torch.arange(len(clips))
    return Batch(clips, count, count, torch.zeros(clips.shape[:2], dtype=torch.bool), 0)


def with_a_disc(side: int, right: float, up: float) -> Tensor:
    """Return a clip with a bright disc so many pixels from its centre."""
    steps = torch.arange(side) - (side - 1) / 2
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    bright = ((across - right) ** 2 + (down + up) ** 2) < 9
    return (bright * 255).byte()[None, None, :, :, None].expand(1, 2, -1, -1, 3)


def place_of(picture: Tensor) -> tuple[float, float]:
    """Return where a picture (H, W) is bright, in pixels right of and above its centre."""
    weight = (picture - 60).clamp_min(0)
    steps = torch.arange(len(picture)) - (len(picture) - 1) / 2
    total = weight.sum()
    return float((weight.sum(0) * steps).sum() / total), float(
        -(weight.sum(1) * steps).sum() / total
    )


@pytest.mark.parametrize(
    "turning",
    [
        Turning(QUARTERS, resampled=False, any_angle=False),
        Turning(QUARTERS, resampled=False, any_angle=True),
        Turning((0, 45, 90, 135, 180, 225, 270, 315), resampled=True, any_angle=True),
        Turning((300, 17), resampled=True, any_angle=True),
    ],
)
def test_what_is_seen_in_a_clip_moves_counter_clockwise_by_each_angle(turning: Turning) -> None:
    clip = with_a_disc(turning.read(CLIP).size, right=5, up=0)
    turned = turning.turned(batch_of(clip), SIZE)
    assert turned.clips.shape == (len(turning.angles), 2, SIZE, SIZE, 3)
    for angle, view in zip(turning.angles, turned.clips[:, 0, :, :, 0].float(), strict=True):
        right, up = place_of(view)
        turn = math.radians(angle)
        assert math.hypot(right - 5 * math.cos(turn), up - 5 * math.sin(turn)) < 0.3


@pytest.mark.parametrize("angles", [(0, 180), QUARTERS, (0, 45, 90), (30, 90, 170, 300)])
def test_a_clip_goes_the_way_on_which_the_network_has_learnt(angles: tuple[int, ...]) -> None:
    """The rotation task without its chance gives the same pixels, but for moves and dither."""
    pretext = PretextConfig.model_validate({"rotations": {"angles": angles}})
    config = PretrainConfig(clip=CLIP, pretext=pretext)
    turning = Turning(pretext.angles, pretext.resampled, pretext.any_angle)
    task = RotationPretext(config)
    assert turning.read(CLIP) == task.read
    smooth = with_a_disc(task.read.size, right=4, up=3)
    seen: list[Tensor] = []

    def keep(clips: Tensor, _: Tensor) -> Tensor:
        seen.append(clips.float())
        return clips.permute(0, 4, 1, 2, 3).float()

    views, _ = task.make(batch_of(smooth), keep, torch.Generator().manual_seed(1))
    ours = turning.turned(batch_of(smooth), SIZE).clips.permute(0, 4, 1, 2, 3).float()
    if not pretext.resampled:
        assert torch.equal(ours, views)
        return
    for mine, learnt in zip(ours[:, 0, 0], views[:, 0, 0], strict=True):
        (right, up), (right_2, up_2) = place_of(mine), place_of(learnt)
        assert math.hypot(right - right_2, up - up_2) < 1.5  # it jitters by up to 10 degrees
    assert torch.equal(ours, turning.turned(batch_of(smooth), SIZE).clips.permute(0, 4, 1, 2, 3))


def test_each_clip_keeps_its_own_seams_and_video() -> None:
    clips = torch.zeros(2, 2, SIZE, SIZE, 3, dtype=torch.uint8)
    batch = batch_of(clips)
    batch.seams[1, 1] = True
    turned = Turning((0, 90, 180), resampled=False, any_angle=False).turned(batch, SIZE)
    assert turned.videos.tolist() == [0, 0, 0, 1, 1, 1]
    assert turned.seams.tolist() == [[False, False]] * 3 + [[False, True]] * 3


@pytest.mark.parametrize(
    ("rotations", "shown", "path"),
    [
        (2, (0, 180), "exact"),
        (4, QUARTERS, "exact"),
        (8, tuple(range(0, 360, 45)), "resampled"),
        (360, tuple(range(0, 360, 45)), "resampled"),
        ({"angles": [270, 90, 180]}, (270, 90, 180), "exact"),
        ({"angles": list(range(0, 360, 10))}, tuple(range(0, 360, 10)), "resampled"),
        ({"angles": list(range(0, 185, 5))}, (0, 20, 45, 65, 90, 115, 135, 160), "resampled"),
    ],
)
def test_a_networks_set_says_the_angles_and_its_path_how(
    saved: Save, actions: Manifest, rotations: object, shown: tuple[int, ...], path: str
) -> None:
    videos = actions.select("pretrain")
    net = open_network(saved(videos, kind="pretrain", pretext={"rotations": rotations}))
    turning = turning_of([net])
    assert (turning.angles, turning.path) == (shown, path)


def test_networks_that_learnt_no_rotations_are_shown_those_of_the_first_that_did(
    saved: Save, actions: Manifest
) -> None:
    videos = actions.select("pretrain")
    tuned = open_network(saved(videos, name="tuned"))
    paced = open_network(saved(videos, kind="pretrain", name="pace", pretext={"task": "pace"}))
    pre = open_network(saved(videos, kind="pretrain", pretext={"rotations": 8}))
    assert turning_of([tuned, pre]) == turning_of([pre])
    assert turning_of([tuned, paced]).angles == QUARTERS
    assert turning_of([paced], [0, 30]) == Turning((0, 30), resampled=True, any_angle=True)
    random = random_like(pre, [torch.rand(2, 3, 4, SIZE, SIZE)], seed=0)
    assert turning_of([tuned, random]).angles == QUARTERS  # random weights have learnt nothing


def test_what_learnt_on_another_path_than_it_is_shown_is_named(
    saved: Save, actions: Manifest
) -> None:
    videos = actions.select("pretrain")
    four = open_network(saved(videos, kind="pretrain", name="four"))
    eight = open_network(saved(videos, kind="pretrain", name="eight", pretext={"rotations": 8}))
    (said,) = unlike([eight, four], turning_of([eight, four]))
    assert said.startswith("four has learnt rotations on path exact")
    assert not list(unlike([four], turning_of([four])))


@pytest.mark.parametrize(
    ("angles", "said"),
    [
        ([], "1 to 36 angles, got 0"),
        ([0, 360], "from 0 to 359, got 360"),
        ([-90], "from 0 to 359, got -90"),
        ([90, 0, 90], "differ from one another, got 90, 0, 90"),
        ([*range(37)], "1 to 36 angles, got 37"),
        ([0, 45], "net has learnt on path exact.* 0, 90, 180, 270"),
    ],
)
def test_angles_that_cannot_be_shown_are_refused(
    saved: Save, actions: Manifest, angles: list[int], said: str
) -> None:
    net = open_network(saved(actions.select("pretrain"), kind="pretrain", name="net"))
    with pytest.raises(UserError, match=said):
        turning_of([net], angles)
