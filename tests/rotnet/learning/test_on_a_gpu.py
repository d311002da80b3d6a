"""The same stages on a CUDA device."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rotnet.config import EvaluateConfig, FinetuneConfig, PretrainConfig, ScoreConfig, TrainConfig
from rotnet.data.manifest import Manifest
from rotnet.evaluation.evaluate import evaluate
from rotnet.learning.finetune import finetune
from rotnet.learning.pretrain import pretrain
from rotnet.learning.watch import Stopped

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
    tune = small_finetune.model_copy(update={"finetune": train})
    finetune(tune, actions.select("train", 1), folders["pre"], folders["tuned"], make_recorder())
    assert torch.cuda.max_memory_allocated() > 0
    config = ScoreConfig(evaluate=EvaluateConfig(clips=2))
    test = actions.select("test", 1)
    scored = evaluate(config, folders["tuned"], test, folders["scores"], make_recorder())
    assert scored["videos"] == len(test)
