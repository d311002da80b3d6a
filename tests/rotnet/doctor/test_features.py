"""What a linear probe is shown of a picture: each sort of trace moves its own features."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from rotnet.doctor.features import RADII, SECTORS, band_powers, features_of


def noise(count: int = 8, side: int = 32) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 3, 2, side, side, generator=generator)


def test_blur_lowers_bands_the_more_the_further_out_they_lie() -> None:
    planes = noise().transpose(1, 2)
    soft = avg_pool2d(planes.flatten(0, 2), 3, stride=1, padding=1).view_as(planes)
    change = band_powers(soft) - band_powers(planes)
    by_radius = change.view(-1, 3, RADII, SECTORS).mean(dim=(0, 1, 3))
    assert (by_radius[:5].diff() < 0).all()  # a mean of three has nothing left at a third


def test_a_quarter_turn_moves_bands_by_half_the_sectors() -> None:
    planes = noise(side=33).transpose(1, 2)  # odd, so that both ends of the spectrum are there
    bands = band_powers(planes).view(-1, 3, RADII, SECTORS)
    turned = band_powers(planes.rot90(1, (-2, -1))).view_as(bands)
    assert torch.allclose(turned.roll(SECTORS // 2, -1), bands, atol=0.35)
    inner = (turned.roll(SECTORS // 2, -1) - bands).abs().mean()
    assert float(inner) < 0.1 * float((turned - bands).abs().mean())


def test_stripes_show_in_the_sector_of_their_direction() -> None:
    stripes = torch.cos(2 * torch.pi * 0.2 * torch.arange(32.0)).expand(1, 1, 1, 32, 32)
    across = band_powers(stripes).view(RADII, SECTORS)
    along = band_powers(stripes.transpose(-2, -1)).view(RADII, SECTORS)
    assert int(across.max(dim=0).values.argmax()) == 0
    assert int(along.max(dim=0).values.argmax()) == SECTORS // 2


def test_a_repeated_row_changes_features_and_a_constant_offset_hardly_does() -> None:
    inputs = noise()
    repeated = inputs.clone()
    repeated[..., 0, :] = repeated[..., 1, :]
    before = features_of(inputs)
    assert float((features_of(repeated) - before).abs().amax(dim=1).min()) > 5
    assert torch.allclose(features_of(inputs + 1), before, atol=0.05)


def test_brightness_alone_gives_finite_features_even_of_a_constant() -> None:
    assert features_of(torch.zeros(2, 1, 2, 32, 32)).isfinite().all()
    assert features_of(torch.full((2, 3, 2, 32, 32), 0.3)).isfinite().all()


def test_what_stands_still_shows_in_differences_of_frames() -> None:
    inputs = noise()
    still = inputs.clone()
    still[..., 4:8, 4:8] = 0
    before, after = features_of(inputs)[:, -64:], features_of(still)[:, -64:]
    cell = 8 + 1
    assert float((after - before)[:, cell].max()) < -4
    others = [index for index in range(64) if index != cell]
    assert float((after - before)[:, others].abs().max()) < 0.05
