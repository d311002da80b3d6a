"""Content without an up: what the probes' silence rests on."""

import math

import pytest
import torch

from rotnet.doctor.features import RADII, SECTORS, band_powers
from rotnet.doctor.noise import constant_clips, isotropic_clips


def clips_of(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.cat([isotropic_clips(40, 2, 48, 48, generator) for _ in range(10)])


def test_noise_has_equal_power_in_all_directions() -> None:
    planes = clips_of(0).float().permute(0, 1, 4, 2, 3)
    power = band_powers(planes).view(-1, 3, RADII, SECTORS)[:, :, :4]
    apart = power - power.mean(dim=-1, keepdim=True)
    apart = apart.mean(dim=1)
    error = apart.std(dim=0) / math.sqrt(len(apart))
    assert (apart.mean(dim=0).abs() < 4.5 * error).all()
    assert error.max() < 0.03


def test_white_noise_is_told_apart_from_it_by_the_corners_of_its_spectrum() -> None:
    white = torch.randn(1, 400, 48, 48, generator=torch.Generator().manual_seed(0))
    ours = clips_of(0)[:200].float().permute(0, 1, 4, 2, 3).flatten(0, 2)
    corner = []
    for pictures in (white[0], ours):
        spectrum = torch.fft.fft2(pictures - pictures.mean((1, 2), keepdim=True)).abs() ** 2
        f = torch.fft.fftfreq(48)
        outside = torch.hypot(f[:, None], f[None]) > 0.55
        corner.append(float(spectrum[:, outside].sum() / spectrum.sum()))
    assert corner[0] > 0.03
    assert corner[1] < 0.003


def test_noise_keeps_away_from_black_and_white_where_cutting_off_would_bend_it() -> None:
    clips = clips_of(1)
    assert float(((clips == 0) | (clips == 255)).float().mean()) < 1e-4


def test_clips_differ_in_mean_contrast_and_colour() -> None:
    clips = clips_of(2).float()
    assert float(clips.mean(dim=(1, 2, 3, 4)).std()) > 3
    assert float(clips.std(dim=(1, 2, 3)).mean(dim=1).std()) > 1
    assert float((clips[..., 0] - clips[..., 2]).mean(dim=(1, 2, 3)).std()) > 5


def test_equal_generators_give_equal_noise() -> None:
    first, again, other = (
        isotropic_clips(2, 2, 20, 24, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert first.shape == (2, 2, 20, 24, 3)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("side", [8, 9])
def test_a_constant_clip_has_one_colour(side: int) -> None:
    clips = constant_clips(3, 2, side, torch.Generator().manual_seed(0))
    assert clips.shape == (3, 2, side, side, 3)
    assert torch.equal(clips, clips[:, :1, :1, :1].expand_as(clips))
    assert not torch.equal(clips[0], clips[1])
