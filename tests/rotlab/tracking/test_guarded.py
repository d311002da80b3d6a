"""A network says which clips it takes, exported and loaded by torch alone."""

import io

import pytest
import torch
from torch import Tensor, nn

from rotlab.tracking.guarded import Guarded

CLIP = (4, 8, 6, 3)


class Mean(nn.Module):
    """Four means of every clip, one for each frame: made for that many."""

    def forward(self, clips: Tensor) -> Tensor:
        return (clips * 1.0).flatten(2).mean(2) @ torch.eye(4)


@pytest.fixture(scope="module")
def loaded() -> nn.Module:
    example = torch.zeros((2, *CLIP), dtype=torch.uint8)
    sides = dict.fromkeys(range(5), torch.export.Dim.AUTO)
    program = torch.export.export(Guarded(Mean(), CLIP), (example,), dynamic_shapes=(sides,))
    held = io.BytesIO()
    torch.export.save(program, held)
    held.seek(0)
    return torch.export.load(held).module()


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_clips_of_its_size_are_taken_as_they_are(
    loaded: nn.Module, number: int, dtype: torch.dtype
) -> None:
    chance = torch.Generator().manual_seed(0)
    clips = torch.randint(0, 256, (number, *CLIP), generator=chance).to(dtype)
    assert torch.equal(loaded(clips), Mean()(clips))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((2, 5, 8, 6, 3), "frames, which must be 4"),
        ((2, 1, 8, 6, 3), "frames, which must be 4"),
        ((2, 4, 9, 6, 3), "height, which must be 8"),
        ((2, 4, 8, 8, 3), "width, which must be 6"),
        ((2, 4, 8, 6, 1), "channels, which must be 3"),
    ],
)
def test_others_are_refused_in_one_line(
    loaded: nn.Module, shape: tuple[int, ...], said: str
) -> None:
    with pytest.raises(RuntimeError) as raised:
        loaded(torch.zeros(shape, dtype=torch.uint8))
    text = str(raised.value)
    assert text == f"clips must be (B, 4, 8, 6, 3), got another number for {said}"
