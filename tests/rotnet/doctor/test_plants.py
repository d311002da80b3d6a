"""Planted leaks: each does what it says, and only where it can be a leak."""

import pytest
import torch
from torch import Tensor

from rotnet.config import ClipConfig, PretextConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.doctor.path import Path, training_path
from rotnet.doctor.plants import PLANTS, bar, combing, logo, off_centre, repeated_border, turn

CPU = torch.device("cpu")
CONFIG = PretrainConfig(clip=ClipConfig(frames=1, stride=1, resize=20, size=20))


def plain(batch: Batch, _chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """A path that turns nothing and says it had turned by 0, 90, 180 and 270 degrees."""
    inputs = batch.clips.permute(0, 4, 1, 2, 3).float()
    return inputs.repeat_interleave(4, dim=0), torch.tensor([0, 90, 180, 270]).repeat(len(inputs))


def batch_of(clips: Tensor) -> Batch:
    count, frames = clips.shape[:2]
    return Batch(
        clips=clips,
        videos=torch.arange(count),
        labels=torch.full((count,), -1),
        seams=torch.zeros(count, frames, dtype=torch.bool),
        number=0,
    )


def noise(side: int, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, 1, side, side, 3), generator=generator).byte()


def views(path: Path, clips: Tensor) -> tuple[Tensor, Tensor]:
    return path(batch_of(clips), torch.Generator().manual_seed(0))


def test_a_quarter_turn_about_the_true_centre_is_rot90() -> None:
    inputs = torch.randn(4, 3, 2, 9, 9, generator=torch.Generator().manual_seed(0))
    turned = turn(inputs, torch.tensor([0, 90, 180, 270]), 9)
    for k in range(4):
        assert torch.allclose(turned[k], inputs[k].rot90(k, (-2, -1)), atol=1e-5)


def test_a_turn_about_half_the_width_repeats_the_lines_that_the_bug_is_known_for() -> None:
    inputs, degrees = views(off_centre(CONFIG, CPU, plain), noise(20))
    for view, angle in zip(inputs, degrees.tolist(), strict=True):
        row = torch.allclose(view[..., 0, :], view[..., 1, :], atol=1e-4)
        column = torch.allclose(view[..., 0], view[..., 1], atol=1e-4)
        assert (row, column) == {
            0: (False, False),
            90: (True, False),
            180: (True, True),
            270: (False, True),
        }[angle]


def test_the_repeated_border_is_that_of_the_bug_and_nothing_else_changes() -> None:
    right, _ = views(plain, noise(20))
    spoilt, degrees = views(repeated_border(CONFIG, CPU, plain), noise(20))
    assert torch.equal(spoilt[degrees == 0], right[degrees == 0])
    assert torch.equal(spoilt[degrees == 90][..., 0, :], right[degrees == 90][..., 1, :])
    assert torch.equal(spoilt[..., 1:, 1:], right[..., 1:, 1:])


def test_black_corners_are_black_and_only_at_angles_that_have_them() -> None:
    plant = next(plant for plant in PLANTS if plant.name == "black corners")
    config = CONFIG.model_copy(update={"pretext": PretextConfig(rotations=8)})
    assert plant.detour is not None
    inputs, degrees = views(plant.detour(config, CPU, plain), noise(54).clamp(min=90))
    black = -torch.tensor(CONFIG.views.mean) / torch.tensor(CONFIG.views.std)
    corner = torch.isclose(inputs[..., 0, 0, 0], black, atol=1e-3).all(dim=1)
    assert torch.equal(corner, degrees % 90 != 0)


@pytest.mark.parametrize(("spoil", "share"), [(bar, 0.18), (logo, 1 / 64)])
def test_what_is_drawn_into_the_content_lies_in_the_upright_view(
    spoil: object, share: float
) -> None:
    assert callable(spoil)
    clips = noise(54)
    spoilt = spoil(32, clips)
    view = slice(11, 43)
    changed = (spoilt != clips).any(dim=-1)[:, :, view, view].float().mean()
    assert float(changed) == pytest.approx(share, rel=0.1)
    assert torch.equal(clips, noise(54))


def test_combing_moves_every_other_row() -> None:
    clips = noise(12)
    spoilt = combing(12, clips)
    assert torch.equal(spoilt[:, :, ::2], clips[:, :, ::2])
    assert torch.equal(spoilt[:, :, 1::2, 4:], clips[:, :, 1::2, :-4])


def test_a_plant_that_is_no_leak_in_a_set_says_why() -> None:
    reasons = {
        rotations: {
            plant.name
            for plant in PLANTS
            if plant.not_for(PretextConfig.model_validate({"rotations": rotations}).angles)
        }
        for rotations in (2, 4, 8, 360)
    }
    assert reasons == {
        2: {"one bilinear sampling", "combing"},
        4: {"one bilinear sampling"},
        8: set(),
        360: set(),
    }


def test_the_training_path_names_the_angle_by_which_it_turned() -> None:
    path = training_path(CONFIG, CPU)
    inputs, degrees = views(path, noise(20, count=1))
    assert degrees.tolist() == [0, 90, 180, 270]
    assert torch.equal(inputs[1], inputs[0].rot90(1, (-2, -1)))
