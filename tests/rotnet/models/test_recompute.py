"""Parts that are computed again leave everything as it was, and keep less until then."""

import pytest
import torch
from torch import Tensor, nn

from rotnet.config import ModelConfig
from rotnet.errors import UserError
from rotnet.models.net import VideoNet, build, set_recompute

NETS = {
    "resnet3d": ModelConfig(width=4, hidden=8, dropout=0.3),
    "resnet3d, 50 layers": ModelConfig(width=2, depth=50, hidden=8, shortcut="B"),
    "r3d_18": ModelConfig(backbone="r3d_18", hidden=8),
    "c3d": ModelConfig(backbone="c3d", hidden=8),
}


def learnt(config: ModelConfig, *, again: bool) -> tuple[dict[str, Tensor], list[Tensor], int]:
    """State and gradients after two passes forward and back, and the bytes of maps kept."""
    net = build(config, 4, seed=0).train()
    if again:
        set_recompute(net, config.backbone)
    clips = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    weights = {one.untyped_storage().data_ptr() for one in net.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(0)
    for _ in range(2):
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            outputs = net(clips)
        held = sum(size for place, size in kept.items() if place not in weights)
        outputs.square().mean().backward()
    gradients = [one.grad for one in net.parameters() if one.grad is not None]
    return dict(net.state_dict()), gradients, held


@pytest.mark.parametrize("name", NETS)
def test_weights_statistics_and_gradients_are_bit_equal_and_less_is_kept(name: str) -> None:
    state, gradients, held = learnt(NETS[name], again=False)
    again, others, less = learnt(NETS[name], again=True)
    assert all(torch.equal(state[entry], again[entry]) for entry in state)
    assert all(torch.equal(one, other) for one, other in zip(gradients, others, strict=True))
    assert len(gradients) > 10
    assert less < 0.75 * held


def test_a_network_that_cannot_says_so() -> None:
    class Bare(VideoNet):
        stages = ()

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(1, 1)

    with pytest.raises(UserError, match="backbone bare cannot compute its parts again"):
        set_recompute(Bare(), "bare")
