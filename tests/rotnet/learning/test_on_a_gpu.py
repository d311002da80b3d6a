"""The same stages on a CUDA device."""

from collections.abc import Callable
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
from rotnet.data.manifest import Manifest
from rotnet.evaluation.evaluate import evaluate
from rotnet.evaluation.linear import linear
from rotnet.learning.finetune import finetune
from rotnet.learning.pretrain import pretrain
from rotnet.learning.watch import Stopped, Unwatched
from rotnet.models.net import build
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
