"""What a linear probe looks at: numbers that tell how a picture was resampled, cut or filled.

Sharpness and direction (power of the spectrum by radius and direction), colour (how channels go
together, in place and one pixel apart), and borders (lines that repeat, corners, profiles).
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

RADII = 7
SECTORS = 8  # directions over half a turn; the first one is centred on the rows
PROFILE = 8  # bins of a profile over rows, and over columns; cells of a grid, each way
FAINT = 0.003  # of a normalised input: a tenth of a grey level, weaker than what rounding adds


def features_of(inputs: Tensor) -> Tensor:
    """Return features (N, D) of network inputs.

    Args:
        inputs: (N, C, T, H, H); C is 3, or 1 where only luma is looked at.
    """
    frames = inputs.transpose(1, 2)  # N, T, C, H, W
    luma = frames.mean(dim=2, keepdim=True)
    planes = luma
    if frames.shape[2] > 1:
        planes = torch.cat([luma, frames[:, :, :1] - luma, frames[:, :, 2:] - luma], dim=2)
    return torch.cat([band_powers(planes), _channels(planes), _borders(luma[:, :, 0])], dim=1)


def band_powers(planes: Tensor) -> Tensor:
    """Return the log of a picture's power by radius and direction, (N, C * RADII * SECTORS).

    The picture is faded out towards its borders (a Hann window), as power would otherwise leak
    along rows and columns; power is averaged over frames.

    Args:
        planes: (N, T, C, H, H).
    """
    side = planes.shape[-1]
    window = torch.hann_window(side, periodic=False, device=planes.device)
    window = window[:, None] * window[None, :]
    mean = (planes * window).sum((-2, -1), keepdim=True) / window.sum()
    power = torch.fft.fft2((planes - mean) * window).abs().square().mean(dim=1)
    floor = FAINT**2 * window.square().sum()
    return (power.flatten(-2) @ _bands(side, planes.device) + floor).log().flatten(1)


def _bands(side: int, device: torch.device) -> Tensor:
    """Return the weights (side * side, RADII * SECTORS) that average a spectrum over its bands."""
    f = torch.fft.fftfreq(side, device=device)
    y, x = torch.meshgrid(f, f, indexing="ij")
    radius, angle = torch.hypot(x, y), torch.atan2(y, x)
    ring = ((radius - 1.5 / side) / (0.5 - 1.5 / side) * RADII).floor().clamp(max=RADII - 1)
    sector = ((angle / math.pi * SECTORS + 0.5).floor() % SECTORS).long()
    inside = (radius >= 1.5 / side) & (radius <= 0.5)
    band = torch.where(inside, ring.long() * SECTORS + sector, -1).flatten()
    weights = (band[:, None] == torch.arange(RADII * SECTORS, device=device)).float()
    return weights / weights.sum(dim=0).clamp_min(1)


def _channels(planes: Tensor) -> Tensor:
    """Return how pairs of planes (N, T, C, H, H) correlate, in place and one pixel apart."""
    count = planes.shape[2]
    if count == 1:
        return planes.new_zeros(len(planes), 0)
    inner = planes[..., 1:-1, 1:-1]
    found = []
    for one in range(count):
        for other in range(one + 1, count):
            for down, right in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)):
                moved = planes.roll((-down, -right), (-2, -1))[..., 1:-1, 1:-1]
                found.append(_correlation(inner[:, :, one], moved[:, :, other]))
    return torch.stack(found, dim=1)


def _correlation(one: Tensor, other: Tensor) -> Tensor:
    """Return the correlation (N,) of (N, T, H, W) with its like, over frames and pixels."""
    one, other = one.flatten(1), other.flatten(1)
    one, other = one - one.mean(1, keepdim=True), other - other.mean(1, keepdim=True)
    norm = (one.square().sum(1) * other.square().sum(1)).sqrt()
    return (one * other).sum(1) / (norm + FAINT**2 * one.shape[1])


def _borders(luma: Tensor) -> Tensor:
    """Return what stands out at the sides and corners of (N, T, H, H), profiles, and activity.

    The activity of a cell is the log of how far its pixels are from the mean, on average: what
    stands still shows there in DIF, where it has no brightness.
    """
    found = []
    corner = max(2, luma.shape[-1] // 10)
    mean = luma.mean(dim=(1, 2, 3), keepdim=True)
    spread = (luma - mean).square().mean(dim=(1, 2, 3)) + FAINT**2
    for turn in range(4):
        turned = torch.rot90(luma, turn, (-2, -1))
        steps = (turned[..., 1:4, :] - turned[..., :3, :]).square().mean(dim=(1, 3)) + FAINT**2
        found += [(steps[:, 0] / steps[:, 1]).log(), (steps[:, 1] / steps[:, 2]).log()]
        patch = turned[..., :corner, :corner]
        found.append((patch.mean(dim=(1, 2, 3)) - mean[:, 0, 0, 0]) / spread.sqrt())
        inner = patch - patch.mean(dim=(2, 3), keepdim=True)
        found.append(((inner.square().mean(dim=(1, 2, 3)) + 1e-3 * spread) / spread).log())
    still = ((luma - mean) / spread.sqrt()[:, None, None, None]).mean(dim=1)
    for plane in (still, still.transpose(1, 2)):
        bins = torch.tensor_split(plane, PROFILE, dim=1)
        found += [part.mean(dim=(1, 2)) for part in bins]
        found += [part.abs().mean(dim=(1, 2)) for part in bins]
    cells = adaptive_avg_pool2d((luma - mean).square().mean(dim=1), PROFILE)
    activity = ((cells.flatten(1) + 1e-3 * spread[:, None]) / spread[:, None]).log()
    return torch.cat([torch.stack(found, dim=1), activity], dim=1)
