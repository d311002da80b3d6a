"""RGB and DIF as a network sees them."""

import pytest
import torch

from rotnet.config import ViewConfig
from rotnet.views.modality import as_input

VIEWS = ViewConfig()


def random_clips(frames: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, frames, 4, 4, 3), generator=generator, dtype=torch.uint8)


def test_rgb_is_normalised_per_channel() -> None:
    clips = random_clips(3)
    seen = as_input(clips, "rgb", mean=VIEWS.mean, std=VIEWS.std)
    assert seen.shape == (2, 3, 3, 4, 4)
    for channel in range(3):
        expected = (clips[..., channel] / 255 - VIEWS.mean[channel]) / VIEWS.std[channel]
        torch.testing.assert_close(seen[:, channel], expected)


def test_dif_is_the_difference_of_normalised_frames() -> None:
    clips = random_clips(4)
    rgb = as_input(clips, "rgb", mean=VIEWS.mean, std=VIEWS.std)
    dif = as_input(clips, "dif", mean=VIEWS.mean, std=VIEWS.std)
    assert dif.shape == (2, 3, 3, 4, 4)
    torch.testing.assert_close(dif, rgb[:, :, 1:] - rgb[:, :, :-1], atol=1e-5, rtol=1e-5)


def test_a_still_video_has_no_dif() -> None:
    still = random_clips(1).expand(2, 5, 4, 4, 3)
    assert as_input(still, "dif", mean=VIEWS.mean, std=VIEWS.std).abs().max() == 0


def test_dif_of_one_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 frames, got 1"):
        as_input(random_clips(1), "dif", mean=VIEWS.mean, std=VIEWS.std)
