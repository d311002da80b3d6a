"""What training draws beside a clip's place, and what that leaves alone."""

import pytest
import torch
from torch import Tensor

from rotnet.config import ViewConfig
from rotnet.views.augment import augment, luma, move_chroma


def clips(count: int = 3) -> Tensor:
    draws = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 2, 8, 8, 3), generator=draws).to(torch.uint8)


def drawn(views: ViewConfig, seed: int = 0) -> Tensor:
    return augment(clips(), views, torch.Generator().manual_seed(seed))


def test_by_default_nothing_is_touched() -> None:
    assert torch.equal(drawn(ViewConfig()), clips())


def test_grey_shows_luma_in_all_channels() -> None:
    seen = drawn(ViewConfig(grey=1.0))
    torch.testing.assert_close(seen, luma(clips().float()).expand(-1, -1, -1, -1, 3))


def test_one_channel_stands_for_all_and_every_channel_has_its_turn() -> None:
    chosen = set()
    for seed in range(12):
        seen = drawn(ViewConfig(chroma_drop=1.0), seed)
        assert torch.equal(seen[..., 0], seen[..., 1])
        assert torch.equal(seen[..., 0], seen[..., 2])
        (channel,) = [
            k for k in range(3) if torch.equal(seen[0, ..., 0], clips()[0, ..., k].float())
        ]
        chosen.add(channel)
    assert chosen == {0, 1, 2}


def test_a_vertical_flip_turns_rows_round_in_every_frame() -> None:
    assert torch.equal(drawn(ViewConfig(vertical_flip=1.0)), clips().float().flip(2))


def test_moving_colour_leaves_luma_where_it_was() -> None:
    clip = 64 + clips()[0].float() / 2  # far from black and white, where sums would be cut
    moved = move_chroma(clip, 0.7, -0.4)
    torch.testing.assert_close(luma(moved), luma(clip), atol=1e-3, rtol=0)
    assert (moved - clip).abs().max() > 1


def test_colour_moves_right_and_down() -> None:
    clip = torch.full((1, 5, 5, 3), 100.0)
    clip[0, 2, 2] = torch.tensor([150.0, 100.0, 100.0])
    colour = move_chroma(clip, 1.0, 1.0)[0] - luma(clip)[0]
    redness = colour[..., 0] - colour[..., 2]
    assert redness.flatten().argmax() == 3 * 5 + 3


def test_half_the_clips_are_grey_where_half_are_asked_for() -> None:
    many = clips(400)
    seen = augment(many, ViewConfig(grey=0.5), torch.Generator().manual_seed(0))
    grey = (seen[..., 0] == seen[..., 1]).flatten(1).all(1).float().mean()
    assert grey == pytest.approx(0.5, abs=0.08)


def test_equal_chance_draws_equally() -> None:
    views = ViewConfig(grey=0.3, chroma_drop=0.3, chroma_shift=1.0, vertical_flip=0.3)
    assert torch.equal(drawn(views, 5), drawn(views, 5))
    assert not torch.equal(drawn(views, 5), drawn(views, 6))
