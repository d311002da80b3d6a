"""Turning by any angle: geometry, nothing filled in, and no trace of the angle in the spectrum."""

import math

import pytest
import torch
from torch import Tensor

from rotnet.views import resample
from rotnet.views.resample import DITHER, turn
from rotnet.views.room import source_side

SIZE = 24
SIDE = source_side(SIZE)


def turned(clips: Tensor, *degrees: float, shift: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """The first clip at each angle: (n, C, T, SIZE, SIZE)."""
    angles = torch.tensor([degrees])
    shifts = torch.tensor(shift).expand(1, len(degrees), 2)
    return turn(clips[:1], angles, shifts, SIZE)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, -0.5), (0.31, 0.17)])
def test_a_quarter_turn_is_the_quarter_turn_of_the_upright_clip(shift: tuple[float, float]) -> None:
    clips = torch.rand(1, 3, 2, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    views = turned(clips, 0, 90, 180, 270, shift=shift)
    for quarter in range(4):
        torch.testing.assert_close(
            views[quarter], torch.rot90(views[0], quarter, (-2, -1)), atol=1e-5, rtol=0
        )


def test_an_angle_turns_counter_clockwise_about_the_true_centre() -> None:
    """A soft spot right of the centre comes to where 30 degrees counter-clockwise put it."""
    middle = (SIDE - 1) / 2
    y, x = torch.meshgrid(torch.arange(SIDE) - middle, torch.arange(SIDE) - middle, indexing="ij")
    spot = torch.exp(-((x - 5) ** 2 + y**2) / 4)[None, None, None]
    view = turned(spot, 30.0)[0, 0, 0]
    steps = torch.arange(SIZE) - (SIZE - 1) / 2
    across = (view.sum(0) * steps).sum() / view.sum()
    down = (view.sum(1) * steps).sum() / view.sum()
    assert across == pytest.approx(5 * math.cos(math.pi / 6), abs=0.01)
    assert down == pytest.approx(-5 * math.sin(math.pi / 6), abs=0.01)


def test_a_shift_moves_the_centre_right_and_down() -> None:
    middle = (SIDE - 1) / 2
    y, x = torch.meshgrid(torch.arange(SIDE) - middle, torch.arange(SIDE) - middle, indexing="ij")
    spot = torch.exp(-(x**2 + y**2) / 8)[None, None, None]
    view = turned(spot, 0.0, shift=(0.5, 0.25))[0, 0, 0]
    steps = torch.arange(SIZE) - (SIZE - 1) / 2
    assert (view.sum(0) * steps).sum() / view.sum() == pytest.approx(-0.5, abs=0.01)
    assert (view.sum(1) * steps).sum() / view.sum() == pytest.approx(-0.25, abs=0.01)


def test_time_and_colour_are_not_mixed() -> None:
    values = torch.arange(6.0).view(1, 3, 2, 1, 1).expand(1, 3, 2, SIDE, SIDE)
    view = turned(values, 73.0)[0]
    torch.testing.assert_close(view, values[0, ..., :SIZE, :SIZE], atol=1e-5, rtol=0)


def test_no_pixel_is_ever_filled() -> None:
    """A constant stays one at every angle and shift; what is filled in would show."""
    clips = torch.full((1, 1, 1, SIDE, SIDE), 7.0)
    angles = torch.arange(0.0, 360.0, 7.0)[None]
    for shift in ((0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)):
        shifts = torch.tensor(shift).expand(*angles.shape, 2)
        views = turn(clips, angles, shifts, SIZE)
        torch.testing.assert_close(views, torch.full_like(views, 7.0), atol=1e-4, rtol=0)


def test_what_lies_outside_the_square_plays_no_part() -> None:
    """A ramp would bend at a border that is mirrored, wrapped or filled; it comes out straight."""
    ramp = torch.arange(float(SIDE)).expand(1, 1, 1, SIDE, SIDE)
    view = turned(ramp, 45.0, shift=(0.5, 0.5))[0, 0, 0]
    steps = torch.arange(SIZE) - (SIZE - 1) / 2
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    expected = (across - down) / math.sqrt(2) + (SIDE - 1) / 2 + 0.5
    assert (view - expected).abs().max() < 0.03


def test_the_power_of_white_noise_is_equal_at_all_angles_in_every_band() -> None:
    """Exactly, not by sampling: the power at a frequency is the squared norm of its gradient.

    Noise of 64 grey levels, and the dither that every view is given.
    """
    degrees = (0.0, 1.0, 6.0, 17.0, 27.0, 36.0, 45.0, 222.0)
    noise = 64**2 * torch.stack([_powers(angle) for angle in degrees])
    powers = noise + DITHER**2 * torch.hann_window(SIZE, periodic=False).square().sum() ** 2
    assert powers.shape == (len(degrees), 9, 8)  # 9 radii to 0.45 cycles a pixel, 8 directions
    between_any_two = powers.amax(0) / powers.amin(0) - 1
    assert between_any_two.max() < 0.005


def _powers(angle: float) -> Tensor:
    """Expected power (radius, direction) of white noise turned by an angle, over random shifts."""
    radii = torch.arange(1, 10) * 0.05
    directions = torch.arange(8) * math.pi / 8
    across = (radii[:, None] * torch.cos(directions)).flatten()
    down = (radii[:, None] * torch.sin(directions)).flatten()
    steps = torch.arange(SIZE)
    window = torch.hann_window(SIZE, periodic=False)
    total = torch.zeros(len(radii) * len(directions))
    steps_of_shift = (torch.arange(4) + 0.5) / 4 - 0.5
    for shift in torch.cartesian_prod(steps_of_shift, steps_of_shift):
        for wave in (torch.cos, torch.sin):
            phase = across[:, None, None] * steps + down[:, None, None] * steps[:, None]
            pattern = wave(2 * math.pi * phase) * window * window[:, None]
            clips = torch.zeros(len(pattern), 1, 1, SIDE, SIDE, requires_grad=True)
            degrees = torch.full((len(pattern), 1), angle)
            views = turn(clips, degrees, shift.expand(len(pattern), 1, 2), SIZE)
            (gradient,) = torch.autograd.grad((views[:, 0, 0] * pattern).sum(), clips)
            total += gradient.square().sum(dim=(1, 2, 3, 4))
    return total.view(len(radii), len(directions))


def test_clips_that_are_turned_a_part_at_a_time_come_out_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = torch.Generator().manual_seed(0)
    clips = torch.rand(5, 3, 2, SIDE, SIDE, generator=chance)
    angles = torch.rand(5, 3, generator=chance) * 360
    shifts = torch.rand(5, 3, 2, generator=chance) - 0.5
    whole = turn(clips, angles, shifts, SIZE)
    monkeypatch.setattr(resample, "_AT_ONCE", 2 * 3 * 2 * (5 * SIDE) ** 2)  # two clips, two, one
    torch.testing.assert_close(turn(clips, angles, shifts, SIZE), whole, atol=1e-6, rtol=0)


def test_a_source_that_is_too_small_or_no_square_is_refused() -> None:
    angles, shifts = torch.zeros(1, 1), torch.zeros(1, 1, 2)
    with pytest.raises(ValueError, match=f"at least {SIDE}, got {SIDE - 1}"):
        turn(torch.zeros(1, 3, 2, SIDE - 1, SIDE - 1), angles, shifts, SIZE)
    with pytest.raises(ValueError, match="square"):
        turn(torch.zeros(1, 3, 2, SIDE, SIDE + 1), angles, shifts, SIZE)


def test_the_side_of_the_source_is_known_beforehand() -> None:
    assert source_side(32) == 53
    assert source_side(112) == 167
