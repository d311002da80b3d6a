"""The pretext's geometry."""

import pytest
import torch

from rotnet.views.rotation import quarter_turns, random_labels

FOUR = torch.arange(4)[None]


def numbered_clip() -> torch.Tensor:
    """(1, 1, 3, 4, 4): pixel value 100*t + 4*y + x, which names its place and time."""
    t, y, x = torch.meshgrid(torch.arange(3), torch.arange(4), torch.arange(4), indexing="ij")
    return (100 * t + 4 * y + x)[None, None].float()


def test_turns_are_quarter_turns_counter_clockwise() -> None:
    copies = quarter_turns(numbered_clip(), FOUR)
    top_left = [copy[0, 0, 0, 0].item() for copy in copies]
    # Counter-clockwise, the top right corner (3) comes to the top left, then 15, then 12.
    assert top_left == [0, 3, 15, 12]


def test_four_quarter_turns_give_the_clip_back() -> None:
    clip = numbered_clip()
    turned = clip
    for _ in range(4):
        turned = quarter_turns(turned, torch.tensor([[1]]))
    assert torch.equal(turned, clip)


def test_a_turn_moves_space_and_never_time() -> None:
    copies = quarter_turns(numbered_clip(), FOUR)
    assert torch.equal((copies // 100)[:, 0, :, 0, 0], torch.arange(3.0).repeat(4, 1))


def test_a_turn_neither_makes_nor_loses_a_pixel() -> None:
    clip = torch.rand(2, 3, 4, 6, 6)
    copies = quarter_turns(clip, FOUR.expand(2, -1))
    for index, copy in enumerate(copies):
        assert torch.equal(copy.flatten().sort().values, clip[index // 4].flatten().sort().values)


def test_the_copies_of_a_clip_lie_side_by_side() -> None:
    clips = torch.stack([torch.zeros(3, 2, 4, 4), torch.ones(3, 2, 4, 4)])
    copies = quarter_turns(clips, torch.tensor([[0, 2], [1, 3]]))
    assert copies.mean(dim=(1, 2, 3, 4)).tolist() == [0, 0, 1, 1]


def test_each_clip_is_turned_by_its_own() -> None:
    clips = torch.rand(2, 3, 2, 4, 4)
    copies = quarter_turns(clips, torch.tensor([[3], [1]]))
    assert torch.equal(copies[0], torch.rot90(clips[0], 3, (-2, -1)))
    assert torch.equal(copies[1], torch.rot90(clips[1], 1, (-2, -1)))


@pytest.mark.parametrize("turns", [FOUR.expand(2, -1), torch.tensor([[3, 1], [0, 2]])])
def test_copies_lie_as_convolutions_read_them_and_are_copied_no_more(turns: torch.Tensor) -> None:
    copies = quarter_turns(torch.rand(2, 3, 4, 6, 6), turns)
    assert copies.is_contiguous(memory_format=torch.channels_last_3d)
    for index, turn in enumerate(turns.flatten().tolist()):
        clip = torch.rand(2, 3, 4, 6, 6, generator=torch.Generator().manual_seed(0))
        turned = quarter_turns(clip, turns)[index]
        assert torch.equal(turned, torch.rot90(clip[index // turns.shape[1]], turn, (-2, -1)))


def test_a_rectangle_is_refused() -> None:
    with pytest.raises(ValueError, match="H=4, W=5"):
        quarter_turns(torch.zeros(1, 3, 2, 4, 5), FOUR)


def test_random_labels_depend_on_video_and_rotation_and_stay() -> None:
    videos = torch.arange(500)
    labels = random_labels(videos, 4, seed=0)
    assert labels.shape == (500, 4)
    assert torch.equal(labels, random_labels(videos, 4, seed=0))
    assert torch.equal(labels[1:2], random_labels(videos[1:2], 4, seed=0))
    assert 0.2 < (labels == torch.arange(4)).float().mean() < 0.3
    assert not torch.equal(labels, random_labels(videos, 4, seed=1))
