"""Leaks made on purpose, which a probe must find before its silence means anything.

Some spoil the content before it is turned (a bar, a logo, combing); the others stand in for the
path, or spoil what comes out of it, each a mistake that was made somewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from rotnet.config import PretrainConfig
from rotnet.data.loader import Batch
from rotnet.doctor.path import Path, draw_degrees
from rotnet.views.modality import as_input

TILT = 10.0  # degrees
COMB = 4  # pixels between the two fields of an interlaced picture of something that moves

Spoil = Callable[[int, Tensor], Tensor]
Detour = Callable[[PretrainConfig, torch.device, Path], Path]


@dataclass(frozen=True, slots=True)
class Plant:
    """A leak to plant.

    Args:
        name: what people call it.
        spoil: (side of the view, clips (B, T, S, S, 3) uint8) -> such clips; None: as they are.
        detour: makes a wrong path of the settings, the device and the right one; None: that one.
        not_for: angles -> why it is no leak among these; "" where it is one.
    """

    name: str
    spoil: Spoil | None
    detour: Detour | None
    not_for: Callable[[Sequence[int]], str]


def bar(view: int, clips: Tensor) -> Tensor:
    """Blacken the first rows: all beyond the upright view, and 20 of its rows if it had 112."""
    spoilt = clips.clone()
    spoilt[:, :, : _outside(clips, view) + round(20 * view / 112)] = 0
    return spoilt


def logo(view: int, clips: Tensor) -> Tensor:
    """Put a white square, an eighth as wide as the upright view, into its first corner."""
    start = _outside(clips, view) + view // 16
    spoilt = clips.clone()
    spoilt[:, :, start : start + view // 8, start : start + view // 8] = 255
    return spoilt


def combing(_view: int, clips: Tensor) -> Tensor:
    """Move every other row by 4 pixels, as two fields of something that moves lie."""
    spoilt = clips.clone()
    spoilt[:, :, 1::2] = clips[:, :, 1::2].roll(COMB, dims=3)
    return spoilt


def repeated_border(_config: PretrainConfig, _device: torch.device, right: Path) -> Path:
    """Repeat the border line that a warp about (w/2, h/2) repeats: row, both, or column."""

    def path(batch: Batch, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        inputs, degrees = right(batch, chance)
        inputs = inputs.clone()
        row, column = (degrees >= 45) & (degrees < 225), (degrees >= 135) & (degrees < 315)
        inputs[row, ..., 0, :] = inputs[row, ..., 1, :]
        inputs[column, ..., 0] = inputs[column, ..., 1]
        return inputs, degrees

    return path


def off_centre(config: PretrainConfig, device: torch.device, _right: Path) -> Path:
    """Turn the finished square about (w/2, h/2) of its pixels' indices, repeating its border."""
    return _warp(config, device, side=config.clip.size, centre=0.5, padding="border")


def black_corners(config: PretrainConfig, device: torch.device, _right: Path) -> Path:
    """Turn the finished square and fill what comes from outside of it.

    Quarter turns have no such corners; there, copies that are turned are tilted too, by up to 10
    degrees, and those at 0 degrees are passed through as they are.
    """
    tilt = TILT if all(angle % 90 == 0 for angle in config.pretext.angles) else 0.0
    return _warp(config, device, side=config.clip.size, padding="zeros", tilt=tilt)


def one_sampling(config: PretrainConfig, device: torch.device, _right: Path) -> Path:
    """Turn by one bilinear sampling of the larger square: sharp at quarter turns, soft between."""
    return _warp(config, device, side=None, padding="border")


def _never(_angles: Sequence[int]) -> str:
    return ""


def _half_turns(angles: Sequence[int]) -> str:
    same = all((angle - angles[0]) % 180 == 0 for angle in angles)
    return "combing is the same after a half turn" if same else ""


def _quarter_turns(angles: Sequence[int]) -> str:
    same = all((angle - angles[0]) % 90 == 0 for angle in angles)
    return "quarter turns are all equally sharp" if same else ""


PLANTS = (
    Plant("repeated border row", None, repeated_border, _never),
    Plant("turned about (w/2, h/2)", None, off_centre, _never),
    Plant("black corners", None, black_corners, _never),
    Plant("one bilinear sampling", None, one_sampling, _quarter_turns),
    Plant("20-row bar", bar, None, _never),
    Plant("corner logo", logo, None, _never),
    Plant("combing", combing, None, _half_turns),
)


def turn(
    inputs: Tensor, degrees: Tensor, size: int, *, centre: float = 0.0, padding: str = "zeros"
) -> Tensor:
    """Return the middle of pictures, turned counter-clockwise by one bilinear sampling.

    Args:
        inputs: (N, C, T, S, S).
        degrees: (N,) float.
        size: side of what is returned, in pixels of the source.
        centre: how far right of and below the true centre they are turned about, in pixels.
        padding: `grid_sample`'s: zeros or border.

    Returns:
        (N, C, T, size, size).
    """
    side = inputs.shape[-1]
    along = torch.arange(size, device=inputs.device) - (size - 1) / 2 - centre
    y, x = torch.meshgrid(along, along, indexing="ij")
    angle = torch.deg2rad(degrees.to(inputs.device, torch.float32))[:, None, None]
    from_x = angle.cos() * x - angle.sin() * y + centre
    from_y = angle.sin() * x + angle.cos() * y + centre
    grid = torch.stack([from_x, from_y], dim=-1) * (2 / side)
    flat = inputs.flatten(1, 2)
    turned = grid_sample(flat, grid, padding_mode=padding, align_corners=False)
    return turned.unflatten(1, inputs.shape[1:3])


def _warp(
    config: PretrainConfig,
    device: torch.device,
    *,
    side: int | None,
    padding: str,
    centre: float = 0.0,
    tilt: float = 0.0,
) -> Path:
    """Return a path of one bilinear warp of the middle `side` pixels (all, if None)."""

    def path(batch: Batch, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        start = _outside(batch.clips, side or batch.clips.shape[2])
        end = batch.clips.shape[2] - start
        square = batch.clips[:, :, start:end, start:end].to(device)
        inputs = as_input(square, config.modality, config.views)
        level = as_input(torch.zeros_like(square), config.modality, config.views)[:1, :, :1, :1, :1]
        drawn = draw_degrees(config.pretext, len(square), chance)
        degrees = drawn.flatten()
        tilts = (2 * torch.rand(len(degrees), generator=chance) - 1) * tilt
        turns = degrees + tilts * (degrees != 0)
        copies = (inputs - level).repeat_interleave(drawn.shape[1], dim=0)
        turned = turn(copies, turns, config.clip.size, centre=centre, padding=padding)
        return turned + level, degrees

    return path


def _outside(clips: Tensor, view: int) -> int:
    """Return how many rows of a square lie before the upright view in its middle."""
    return (clips.shape[2] - view) // 2
