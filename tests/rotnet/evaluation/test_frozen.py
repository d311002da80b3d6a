"""Frozen networks: nothing moves but what a random one takes from the training videos."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from rotnet.config import ModelConfig, ProbeConfig
from rotnet.data.manifest import Manifest
from rotnet.errors import CheckpointError, DataError
from rotnet.evaluation.frozen import BATCHES, check_pair, frozen_network
from rotnet.learning.checkpoint import load_network, save_network
from rotnet.learning.watch import Unwatched
from rotnet.models.batchnorm import reestimate
from rotnet.models.net import build

Save = Callable[..., Path]


def test_statistics_become_the_mean_of_the_batches_own() -> None:
    generator = torch.Generator().manual_seed(0)
    batches = [torch.randn(4, 3, 2, 5, 5, generator=generator) * k + k for k in range(1, 6)]
    model = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm3d(3))
    model(torch.randn(4, 3, 2, 5, 5) * 100)  # what it knew before is forgotten
    assert reestimate(model, iter(batches)) == 5
    (_, layer) = model
    means = torch.stack([batch.mean(dim=(0, 2, 3, 4)) for batch in batches]).mean(0)
    variances = torch.stack([batch.var(dim=(0, 2, 3, 4)) for batch in batches]).mean(0)
    torch.testing.assert_close(layer.running_mean, means)
    torch.testing.assert_close(layer.running_var, variances)
    assert not any(module.training for module in model.modules())
    assert layer.momentum == 0.1


def test_no_weight_of_a_random_network_moves_and_its_features_are_of_order_one(
    actions: Manifest, small: dict[str, object]
) -> None:
    config = ProbeConfig.model_validate({**small, "seed": 5})
    train = actions.select("train", 1)
    model = frozen_network(config, None, train, Unwatched())
    plain = build(config.model, len(train.classes), 5)
    for (name, mine), theirs in zip(model.named_parameters(), plain.parameters(), strict=True):
        assert torch.equal(mine.cpu(), theirs), name
        assert not mine.requires_grad
    layers = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm3d)]
    assert {int(layer.num_batches_tracked or 0) for layer in layers} == {BATCHES}
    assert not any(module.training for module in model.modules())
    again = frozen_network(config, None, train, Unwatched())
    for name, value in again.state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


@pytest.mark.parametrize("kind", ["pretrain", "finetune", "converted"])
def test_a_saved_network_is_taken_as_it_is_whatever_its_head(
    actions: Manifest, pool: Manifest, saved: Save, small: dict[str, object], kind: str
) -> None:
    train = actions.select("train", 1)
    seen, made = (train, kind) if kind == "finetune" else (pool.select("pretrain"), "pretrain")
    folder = saved(seen, kind=made)
    network = load_network(folder)
    if kind == "converted":
        network = replace(network, kind=kind, classes=(), data=None)
        save_network(network, folder)
    config = ProbeConfig.model_validate({**small, "seed": 9})
    model = frozen_network(config, folder, train, Unwatched())
    for name, value in model.state_dict().items():
        if not name.startswith("fc"):
            assert torch.equal(value.cpu(), network.weights[name]), name


@pytest.mark.parametrize("kind", ["pretrain", "finetune"])
def test_a_network_that_has_seen_test_videos_is_refused(
    actions: Manifest, saved: Save, small: dict[str, object], kind: str
) -> None:
    config = ProbeConfig.model_validate(small)
    folder = saved(actions.select("train", 2), kind=kind)
    with pytest.raises(DataError, match=r"was trained on split 2 of .*give split 2"):
        frozen_network(config, folder, actions.select("train", 1), Unwatched())
    folder = saved(actions.select("pretrain"), kind=kind, name="all")
    with pytest.raises(DataError, match=r"was trained on all of .*--split 1"):
        frozen_network(config, folder, actions.select("train", 1), Unwatched())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"modality": "dif"}, "was trained with modality rgb, but is to be used with dif"),
        ({"views": {"mean": (0.5, 0.5, 0.5)}}, "trained with views.mean"),
        ({"model": ModelConfig(width=4)}, "trained with model.width 2, but is to be used with 4"),
        ({"model": ModelConfig(width=2, hidden=64, depth=34)}, "trained with model.depth 18"),
    ],
)
def test_a_network_is_only_shown_what_it_has_learnt_to_see(
    actions: Manifest,
    saved: Save,
    small: dict[str, object],
    settings: dict[str, object],
    message: str,
) -> None:
    train = actions.select("train", 1)
    config = ProbeConfig.model_validate({**small, **settings})
    with pytest.raises(CheckpointError, match=message):
        frozen_network(config, saved(train), train, Unwatched())


def test_ways_to_take_differences_matter_to_dif_alone(
    actions: Manifest, saved: Save, small: dict[str, object]
) -> None:
    train = actions.select("train", 1)
    views = {"dif": "diff_only"}
    config = ProbeConfig.model_validate({**small, "views": views})
    frozen_network(config, saved(train), train, Unwatched())
    config = ProbeConfig.model_validate({**small, "views": views, "modality": "dif"})
    folder = saved(train, name="dif", modality="dif")
    with pytest.raises(CheckpointError, match=r"trained with views\.dif norm_then_diff"):
        frozen_network(config, folder, train, Unwatched())


def test_only_the_two_sides_of_one_split_are_a_pair(actions: Manifest, pool: Manifest) -> None:
    train, test = actions.select("train", 1), actions.select("test", 1)
    check_pair(train, test)
    with pytest.raises(DataError, match="not the two sides of one split"):
        check_pair(train, actions.select("test", 2))
    leaking = replace(test, videos=(train.videos[0], *test.videos))
    with pytest.raises(DataError, match=f"1 videos are both .*{train.videos[0].path}"):
        check_pair(train, leaking)
    unlabelled = pool.select("pretrain")
    with pytest.raises(DataError, match="has no labels"):
        check_pair(unlabelled, unlabelled)
