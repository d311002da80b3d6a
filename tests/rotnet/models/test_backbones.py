"""What holds for every backbone: stages, maps, features, freezing, dropout."""

import pytest
import torch
from torch import Tensor, nn

from rotnet.config import ModelConfig
from rotnet.errors import UserError
from rotnet.models.freezing import freeze
from rotnet.models.net import HEAD, VideoNet, build
from rotnet.registry import BACKBONES

CONFIGS: dict[str, dict[str, object]] = {
    **{
        f"resnet3d-{depth}-{shortcut}": {"depth": depth, "shortcut": shortcut, "width": 2}
        for depth in (18, 34, 50)
        for shortcut in ("A", "A-detached", "B")
    },
    **{name: {"backbone": name} for name in ("r3d_18", "mc3_18", "r2plus1d_18", "c3d")},
}
every_backbone = pytest.mark.parametrize("name", CONFIGS)
ONE_OF_EACH = ("resnet3d-18-A", "resnet3d-50-B", "r3d_18", "mc3_18", "r2plus1d_18", "c3d")
one_of_each = pytest.mark.parametrize("name", ONE_OF_EACH)


def make(name: str, *, outputs: int = 3, seed: int = 0, **more: object) -> VideoNet:
    return build(ModelConfig.model_validate({**CONFIGS[name], **more}), outputs, seed)


def clips(batch: int, frames: int = 8, size: int = 32) -> Tensor:
    return torch.randn(batch, 3, frames, size, size, generator=torch.Generator().manual_seed(0))


def test_every_built_in_backbone_is_tested() -> None:
    tested = {ModelConfig.model_validate(values).backbone for values in CONFIGS.values()}
    assert tested == set(BACKBONES.built_in)


@every_backbone
def test_stages_and_head_hold_each_parameter_and_buffer_once(name: str) -> None:
    model = make(name)
    parts = [module for stage in model.stages for module in model.modules_of(stage)]
    parts += [model.get_submodule(layer) for layer in HEAD]
    held = [id(each) for part in parts for each in (*part.parameters(), *part.buffers())]
    own = [id(each) for each in (*model.parameters(), *model.buffers())]
    assert sorted(held) == sorted(own)
    assert all(any(True for _ in part.parameters()) for part in parts)
    assert set(model.strides) == set(model.stages)


@every_backbone
@pytest.mark.parametrize(("frames", "size"), [(1, 8), (8, 32), (16, 112), (17, 33), (64, 113)])
def test_maps_have_the_documented_strides(name: str, frames: int, size: int) -> None:
    model = make(name).to("meta")  # shapes alone, nothing is computed
    maps = model.maps(torch.empty(2, 3, frames, size, size, device="meta"))
    assert list(maps) == list(model.stages)
    for stage, found in maps.items():
        duration, side = model.map_size(stage, frames, size)
        assert found.shape[2:] == (duration, side, side), stage
        assert min(duration, side) >= 1
    assert maps[model.stages[-1]].shape[:2] == (2, model.num_features)


@one_of_each
def test_the_shortest_clip_gives_features_outputs_and_gradients(name: str) -> None:
    model = make(name)
    outputs = model(clips(2))
    assert outputs.shape == (2, 3)
    assert model.features(clips(2)).shape == (2, model.num_features)
    outputs.square().sum().backward()
    missing = [name for name, each in model.named_parameters() if each.grad is None]
    assert not missing
    assert outputs.isfinite().all()


@one_of_each
def test_equal_seeds_give_equal_weights(name: str) -> None:
    first, second, other = (make(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[each], second[each]) for each in first)
    kernels = [each for each in first if first[each].dim() == 5]
    assert kernels
    assert not any(torch.equal(first[each], other[each]) for each in kernels)


@pytest.mark.parametrize(
    ("name", "stages"),
    [*((name, 2) for name in ONE_OF_EACH), ("resnet3d-18-A", 1), ("resnet3d-18-A", 5)],
)
def test_frozen_stages_hold_still_and_later_ones_learn(name: str, stages: int) -> None:
    model = make(name)
    freeze(model, stages)
    model.eval()
    model.train()
    before = {each: value.clone() for each, value in model.state_dict().items()}
    learning = [each for each in model.parameters() if each.requires_grad]
    rule = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(2):
        rule.zero_grad()
        model(clips(2)).square().sum().backward()
        rule.step()
    after = model.state_dict()
    still = {
        id(value)
        for stage in model.stages[:stages]
        for module in model.modules_of(stage)
        for value in (*module.parameters(), *module.buffers())
    }
    own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    for each, value in own.items():
        assert torch.equal(before[each], after[each]) == (id(value) in still), each
    assert still
    assert len(learning) < len(list(model.parameters()))


def test_frozen_stages_stay_in_eval_mode_and_thaw() -> None:
    model = make("c3d")
    freeze(model, 2)
    model.train()
    assert model.training
    assert [module.training for module in model.modules_of("conv2")] == [False, False]
    assert all(module.training for module in model.modules_of("conv3"))
    freeze(model, 1)
    assert all(module.training for module in model.modules_of("conv2"))
    assert all(each.requires_grad for each in model.get_submodule("conv2a").parameters())
    freeze(model, 0)
    assert all(each.requires_grad for each in model.parameters())
    assert all(module.training for module in model.modules())


def test_freezing_in_eval_mode_keeps_eval_mode() -> None:
    model = make("resnet3d-18-A").eval()
    freeze(model, 1)
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize("stages", [-1, 6])
def test_more_stages_than_there_are_cannot_be_frozen(stages: int) -> None:
    with pytest.raises(UserError, match=rf"from 0 to 5, .*layer4\), got {stages}"):
        freeze(make("resnet3d-18-A"), stages)


def test_dropout_acts_in_training_only() -> None:
    model = make("resnet3d-18-A", dropout=0.5)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eval()  # so that training differs by dropout alone
    with torch.no_grad():
        plain = make("resnet3d-18-A").eval()(clips(2))
        assert model.training
        drawn = {tuple(model(clips(2)).flatten().tolist()) for _ in range(4)}
        assert len(drawn) > 1
        assert torch.equal(model.eval()(clips(2)), plain)


def test_dropout_scales_what_it_keeps_so_that_its_mean_stays() -> None:
    model = make("resnet3d-18-A", dropout=0.5)
    seen: list[Tensor] = []
    model.fc1.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eval()
    with torch.no_grad():
        features = model.features(clips(2))
        model(clips(2))
    kept = seen[0] != 0
    assert torch.allclose(seen[0][kept], 2 * features[kept])
    assert 0 < kept.float().mean() < 1
