"""Parts of a view that a content probe is shown, the rest being blank. Arrays only."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

# Of a view of 112 pixels: how wide a ring is, and at which depths the two further in begin.
WIDTH, NEXT, INNER = 4, 8, 20


def ring(pictures: Tensor, depth: int, width: int) -> Tensor:
    """Return pictures (..., H, H) that show only a ring, `depth` pixels from the border."""
    side = pictures.shape[-1]
    shown = torch.zeros(side, side, dtype=torch.bool, device=pictures.device)
    shown[depth : side - depth, depth : side - depth] = True
    shown[depth + width : side - depth - width, depth + width : side - depth - width] = False
    return pictures * shown


def centre(pictures: Tensor) -> Tensor:
    """Return pictures (..., H, H) that show only the middle half of each side."""
    edge = pictures.shape[-1] // 4
    blank = torch.zeros_like(pictures)
    inside = slice(edge, pictures.shape[-1] - edge)
    blank[..., inside, inside] = pictures[..., inside, inside]
    return blank


def high_pass(pictures: Tensor) -> Tensor:
    """Return pictures (..., H, H) without what is larger than about 5 pixels."""
    flat = pictures.flatten(0, -3).float()
    soft = flat
    for _ in range(2):
        soft = avg_pool2d(soft, 3, stride=1, padding=1, count_include_pad=False)
    return (flat - soft).reshape(pictures.shape).to(pictures.dtype)


def colour(pictures: Tensor) -> Tensor:
    """Return pictures (N, 3, ..., H, H) without their luma: how channels differ from their mean."""
    return pictures - pictures.mean(dim=1, keepdim=True)


def depths(side: int) -> tuple[int, int, int]:
    """Return a ring's width and the depths of the two rings further in, for a view of `side`.

    Worked: 112 pixels give 4, 8 and 20; 32 give 2, 4 and 6, as a ring is at least 2 wide.
    """
    width = max(2, round(WIDTH * side / 112))
    following = max(2 * width, round(NEXT * side / 112))
    return width, following, max(following + width, round(INNER * side / 112))
