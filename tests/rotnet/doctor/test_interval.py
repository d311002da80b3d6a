import math

import pytest
import torch

from rotnet.doctor.interval import clustered


def test_with_one_view_each_the_error_is_the_binomial_one() -> None:
    right = torch.tensor([1.0] * 30 + [0.0] * 70)
    found = clustered(right, torch.arange(100))
    assert found.share == pytest.approx(0.3)
    assert found.error == pytest.approx(math.sqrt(0.21 / 99))
    assert found.upper == pytest.approx(0.3 + 1.6449 * found.error)
    assert (found.views, found.videos) == (100, 100)


def test_copies_of_a_view_add_no_certainty() -> None:
    right = torch.tensor([1.0] * 30 + [0.0] * 70)
    once = clustered(right, torch.arange(100))
    often = clustered(right.repeat_interleave(8), torch.arange(100).repeat_interleave(8))
    assert often.error == pytest.approx(once.error)


def test_an_answer_that_is_right_for_one_copy_of_every_clip_is_certain() -> None:
    right = torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(50)
    found = clustered(right, torch.arange(50).repeat_interleave(4))
    assert (found.share, found.error) == (0.25, 0.0)


def test_bounds_hold_as_often_as_they_say_under_dependence_within_videos() -> None:
    generator = torch.Generator().manual_seed(0)
    videos = torch.arange(60).repeat_interleave(20)
    missed = 0
    for _ in range(400):
        share = torch.rand(60, generator=generator).repeat_interleave(20)
        right = (torch.rand(len(videos), generator=generator) < share).float()
        missed += clustered(right, videos).upper < 0.5
    assert 8 <= missed <= 36  # 20 are expected


def test_two_samples_together_are_one_of_all_their_videos() -> None:
    generator = torch.Generator().manual_seed(1)
    right = (torch.rand(4000, generator=generator) < 0.3).float()
    videos = torch.arange(4000) // 4
    parts = clustered(right[:1200], videos[:1200]), clustered(right[1200:], videos[1200:])
    both, whole = parts[0].pooled(parts[1]), clustered(right, videos)
    assert both.share == pytest.approx(whole.share)
    assert both.error == pytest.approx(whole.error, rel=0.01)
    assert (both.views, both.videos) == (whole.views, whole.videos)


def test_one_video_has_no_spread() -> None:
    with pytest.raises(ValueError, match="at least 2 of them, got 1"):
        clustered(torch.ones(5), torch.zeros(5, dtype=torch.int64))
