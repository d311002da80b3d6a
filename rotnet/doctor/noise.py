"""Clips whose law no rotation changes: isotropic noise, and constants. Arrays only; no files."""

import torch
from torch import Tensor

TORUS = 1.5  # side of the torus that noise is made on, by that of the picture cut out of it
ROLL_OFF = (0.18, 0.40)  # cycles per pixel; beyond it a spectrum falls to nothing before 0.5
STEEPNESS = (0.0, 1.3)  # amplitude falls as radius to this power: from white to pink and beyond
CONTRAST = (10.0, 28.0)  # standard deviation of a channel in grey levels; 3.5 of them never clip


def isotropic_clips(
    count: int, frames: int, height: int, width: int, generator: torch.Generator
) -> Tensor:
    """Return clips of Gaussian noise with spectra that depend on the radius only.

    White noise of a pixel grid is not isotropic (its spectrum is a square), nor is noise on a
    torus as small as the picture. So spectra end smoothly inside the circle that touches the
    square, and pictures are cut out of a larger torus. Each clip has a spectrum, colours, mean and
    contrast of its own; its frames are independent.

    Args:
        count: B.
        frames: T.
        height: H in pixels.
        width: W in pixels.
        generator: all randomness.

    Returns:
        (B, T, H, W, 3) uint8.
    """
    side = 16 * -(-int(TORUS * max(height, width)) // 16)
    spectrum = _spectra(count, side, max(height, width), generator)
    grain = torch.randn((count, frames, 2, side, side, 2), generator=generator)
    fields = torch.fft.ifft2(torch.view_as_complex(grain) * spectrum[:, None, None])
    fields = torch.view_as_real(fields[..., :height, :width]).movedim(2, -1).flatten(-2)
    shared = _uniform((count, 1, 1, 1, 1), (0.0, 1.0), generator)
    channels = shared * fields[..., :1] + (1 - shared**2).sqrt() * fields[..., 1:]
    contrast = _uniform((count, 1, 1, 1, 1), CONTRAST, generator)
    contrast = contrast * _uniform((count, 1, 1, 1, 3), (0.5, 1.0), generator)
    mean = _uniform((count, 1, 1, 1, 3), (100.0, 155.0), generator)
    return (mean + contrast * channels).round_().clamp_(0, 255).byte()


def constant_clips(count: int, frames: int, side: int, generator: torch.Generator) -> Tensor:
    """Return clips of one colour each, (B, T, S, S, 3) uint8."""
    colours = torch.randint(256, (count, 1, 1, 1, 3), generator=generator, dtype=torch.uint8)
    return colours.expand(-1, frames, side, side, -1).contiguous()


def _spectra(count: int, side: int, picture: int, generator: torch.Generator) -> Tensor:
    """Return amplitudes (B, L, L) that give real and imaginary parts of unit variance."""
    f = torch.fft.fftfreq(side)
    radius = torch.hypot(f[:, None], f[None, :])
    end = _uniform((count, 1, 1), ROLL_OFF, generator)
    steepness = _uniform((count, 1, 1), STEEPNESS, generator)
    amplitude = (radius**2 + (4.0 / picture) ** 2) ** (-steepness / 2)
    amplitude = amplitude * torch.exp(-((radius / end) ** 8))
    power = amplitude.square().sum(dim=(1, 2), keepdim=True)
    return amplitude * side**2 / power.sqrt()


def _uniform(
    shape: tuple[int, ...], bounds: tuple[float, float], generator: torch.Generator
) -> Tensor:
    return bounds[0] + (bounds[1] - bounds[0]) * torch.rand(shape, generator=generator)
