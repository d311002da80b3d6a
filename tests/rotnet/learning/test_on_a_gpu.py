"""The same stages on a CUDA device."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from rotnet.config import (
    ClipConfig,
    EvaluateConfig,
    FinetuneConfig,
    ModelConfig,
    PretextConfig,
    PretrainConfig,
    ProbeConfig,
    ScoreConfig,
    TrainConfig,
    TuneConfig,
)
from rotnet.data.loader import ClipLoader
from rotnet.data.manifest import Manifest
from rotnet.evaluation.evaluate import evaluate
from rotnet.evaluation.linear import linear
from rotnet.learning.carrier import Carrier
from rotnet.learning.checkpoint import load_network
from rotnet.learning.descent import Descent, Task
from rotnet.learning.finetune import finetune
from rotnet.learning.lessons import pretext_lesson
from rotnet.learning.meter import Unmetered
from rotnet.learning.pretrain import pretrain
from rotnet.learning.tally import Tally
from rotnet.learning.watch import Stopped, Unwatched
from rotnet.models.net import build
from rotnet.pretexts.pretext import make_pretext
from rotnet.views.resample import turn
from rotnet.views.room import source_side

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_every_precision_trains_resumes_and_scores(
    tmp_path: Path,
    pool: Manifest,
    actions: Manifest,
    small_pretrain: PretrainConfig,
    small_finetune: FinetuneConfig,
    make_recorder: Callable[..., Any],
    precision: str,
) -> None:
    train = TrainConfig.model_validate(
        {"epochs": 3, "batch_size": 4, "lr": 0.05, "schedule": "cosine", "precision": precision}
    )
    folders = {name: tmp_path / name for name in ("pre", "tuned", "scores")}
    for folder in folders.values():
        folder.mkdir()
    pre = small_pretrain.model_copy(update={"pretrain": train})
    with pytest.raises(Stopped):
        pretrain(pre, pool.select("pretrain"), folders["pre"], make_recorder(stop_at=3))
    metrics = pretrain(pre, pool.select("pretrain"), folders["pre"], make_recorder())
    assert metrics["train_loss"] < 2.0
    tuning = TuneConfig.model_validate(train.model_dump())
    tune = small_finetune.model_copy(update={"finetune": tuning})
    finetune(tune, actions.select("train", 1), folders["pre"], folders["tuned"], make_recorder())
    assert torch.cuda.max_memory_allocated() > 0
    config = ScoreConfig(evaluate=EvaluateConfig(clips=2))
    test = actions.select("test", 1)
    scored = evaluate(config, folders["tuned"], test, folders["scores"], make_recorder())
    assert scored["videos"] == len(test)


def test_a_device_turns_clips_as_a_cpu_does() -> None:
    side = source_side(32)
    clips = torch.rand(2, 3, 4, side, side, generator=torch.Generator().manual_seed(0))
    degrees = torch.tensor([[0.0, 45.0, 90.0], [17.0, 180.0, 301.0]])
    shifts = torch.tensor([0.3, -0.4]).expand(2, 3, 2)
    there = turn(clips.cuda(), degrees, shifts, 32)
    assert there.is_cuda
    torch.testing.assert_close(there.cpu(), turn(clips, degrees, shifts, 32), atol=1e-4, rtol=0)


@pytest.mark.parametrize("rotations", [8, 360])
def test_resampled_rotations_are_learnt_from_on_a_device(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, rotations: int
) -> None:
    pretext = PretextConfig.model_validate({"rotations": rotations, "views": 2})
    config = small_pretrain.model_copy(update={"pretext": pretext, "modality": "dif"})
    metrics = pretrain(config, pool.select("pretrain"), tmp_path, Unwatched())
    assert 0 <= metrics["val_circular_error"] <= 180


def test_a_frozen_network_is_probed_on_a_device(
    tmp_path: Path, actions: Manifest, small_finetune: FinetuneConfig
) -> None:
    config = ProbeConfig(clip=small_finetune.clip, model=small_finetune.model)
    train, test = actions.select("train", 1), actions.select("test", 1)
    metrics = linear(config, None, train, test, tmp_path, Unwatched())
    assert metrics["videos"] == len(test)


@pytest.mark.parametrize("backbone", ["resnet3d", "r3d_18", "mc3_18", "r2plus1d_18", "c3d"])
def test_every_backbone_at_full_size_steps_forward_and_back_on_a_device(backbone: str) -> None:
    config, clip = ModelConfig(backbone=backbone), ClipConfig()
    model = build(config, 4, seed=0).cuda().to(memory_format=torch.channels_last_3d)
    clips = torch.rand(2, 3, clip.frames, clip.size, clip.size, device="cuda")
    with torch.autocast("cuda", torch.bfloat16):
        loss = model(clips).float().square().mean()
    loss.backward()
    assert all(torch.isfinite(one.grad).all() for one in model.parameters() if one.grad is not None)


def test_a_deterministic_training_ends_bit_equal_and_leaves_torch_as_it_was(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig
) -> None:
    training = small_pretrain.pretrain.model_copy(update={"deterministic": True})
    config = small_pretrain.model_copy(update={"pretrain": training})
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pretrain(config, pool.select("pretrain"), tmp_path / name, Unwatched())
        found.append(load_network(tmp_path / name).weights)
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("modality", ["rgb", "dif"])
def test_no_step_waits_for_the_device(
    pool: Manifest, small_pretrain: PretrainConfig, modality: str
) -> None:
    config = small_pretrain.model_copy(update={"modality": modality})
    pretext, device = make_pretext(config), torch.device("cuda", 0)
    net = build(config.model, 4, seed=0).to(device)
    loader = ClipLoader(pool.select("pretrain"), pretext.read, config.modality)
    batches = loader.training(batch_size=4, seed=0, flip=0.5, first=0)
    task = Task(net, lambda _: batches, partial(pretext_lesson, config, pretext), None, pretext)
    descent, carrier = Descent(task, config.pretrain, 10, Unmetered()), Carrier(device)
    tally = Tally.empty(device)
    descent.step(0, carrier.bring(next(batches)))  # constants come to the device once
    torch.cuda.set_sync_debug_mode("error")
    try:
        for number in (1, 2):
            taken = descent.step(number, carrier.bring(next(batches)))
            tally.add(taken.loss, taken.correct, taken.seen)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert tally.metrics()["loss"] > 0


def test_a_compiled_training_on_a_device_learns(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig
) -> None:
    training = small_pretrain.pretrain.model_copy(update={"compile": True, "precision": "bf16"})
    config = small_pretrain.model_copy(update={"pretrain": training})
    assert pretrain(config, pool.select("pretrain"), tmp_path, Unwatched())["train_loss"] < 2.0
