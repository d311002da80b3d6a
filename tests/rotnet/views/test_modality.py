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
    seen = as_input(clips, "rgb", VIEWS)
    assert seen.shape == (2, 3, 3, 4, 4)
    for channel in range(3):
        expected = (clips[..., channel] / 255 - VIEWS.mean[channel]) / VIEWS.std[channel]
        torch.testing.assert_close(seen[:, channel], expected)


def test_dif_is_the_difference_of_normalised_frames() -> None:
    clips = random_clips(4)
    rgb = as_input(clips, "rgb", VIEWS)
    dif = as_input(clips, "dif", VIEWS)
    assert dif.shape == (2, 3, 3, 4, 4)
    torch.testing.assert_close(dif, rgb[:, :, 1:] - rgb[:, :, :-1], atol=1e-5, rtol=1e-5)


def test_a_still_video_has_no_dif() -> None:
    still = random_clips(1).expand(2, 5, 4, 4, 3)
    assert as_input(still, "dif", VIEWS).abs().max() == 0


def test_dif_of_one_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 frames, got 1"):
        as_input(random_clips(1), "dif", VIEWS)


def test_the_three_kinds_of_dif_differ_by_what_they_divide_by() -> None:
    clips = random_clips(3)
    seen = {
        "norm_then_diff": as_input(clips, "dif", VIEWS),
        "diff_only": as_input(clips, "dif", ViewConfig(dif="diff_only")),
        "diff_std": as_input(clips, "dif", ViewConfig(dif="diff_std", dif_std=(0.5, 0.25, 0.1))),
    }
    std = torch.tensor(VIEWS.std).view(1, 3, 1, 1, 1)
    torch.testing.assert_close(seen["diff_only"], seen["norm_then_diff"] * std)
    divisor = torch.tensor((0.5, 0.25, 0.1)).view(1, 3, 1, 1, 1)
    torch.testing.assert_close(seen["diff_std"], seen["diff_only"] / divisor)


def test_the_seam_of_a_looped_video_repeats_the_change_before_it() -> None:
    """Brightness rises by 2, 3, 5, then falls back at the seam: that is no motion of anything."""
    levels = torch.tensor([10, 12, 15, 20, 10, 12])
    clips = levels.view(1, 6, 1, 1, 1).expand(1, 6, 2, 2, 3).to(torch.uint8)
    seams = torch.tensor([[False, False, False, True, False]])
    views = ViewConfig(dif="diff_only")
    changes = as_input(clips, "dif", views, seams)[0, 0, :, 0, 0] * 255
    torch.testing.assert_close(changes, torch.tensor([2.0, 3, 5, 5, 2]))
    other = as_input(clips, "dif", views, seams.flip(1))[0, 0, :, 0, 0] * 255
    torch.testing.assert_close(other, torch.tensor([2.0, 2, 5, -10, 2]))


def test_a_clip_that_begins_with_a_seam_shows_the_next_change_and_one_of_seams_shows_none() -> None:
    clips = torch.tensor([10, 0, 4, 0]).view(1, 4, 1, 1, 1).expand(1, 4, 1, 1, 3).to(torch.uint8)
    views = ViewConfig(dif="diff_only")
    begins = as_input(clips, "dif", views, torch.tensor([[True, False, True]]))[0, 0, :, 0, 0]
    torch.testing.assert_close(begins * 255, torch.tensor([4.0, 4, 4]))
    assert as_input(clips, "dif", views, torch.ones(1, 3, dtype=torch.bool)).abs().max() == 0


class Seeing(torch.nn.Module):
    """Nothing but what a network sees."""

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return as_input(clips, "rgb", ViewConfig(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6)))


def test_what_is_exported_leaves_nothing_behind_and_takes_nothing_along() -> None:
    clips = torch.randint(0, 256, (1, 2, 4, 4, 3), dtype=torch.uint8)
    first = torch.export.export(Seeing(), (clips,))  # of constants that nobody has asked for yet
    seen = Seeing()(clips)
    again = torch.export.export(Seeing(), (clips,))
    for exported in (first, again):
        torch.testing.assert_close(exported.module()(clips), seen)
