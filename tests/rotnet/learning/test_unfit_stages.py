"""Trainings and scorings that do not fit what they are given, and are refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rotnet.config import (
    FinetuneConfig,
    ModelConfig,
    PretextConfig,
    PretrainConfig,
    ScoreConfig,
    TrainConfig,
    TuneConfig,
)
from rotnet.data.manifest import Manifest
from rotnet.errors import CheckpointError, DataError, UserError
from rotnet.evaluation.evaluate import evaluate
from rotnet.learning.checkpoint import load_network, save_network
from rotnet.learning.finetune import finetune
from rotnet.learning.pretrain import pretrain
from rotnet.learning.watch import Stopped
from tests.rotnet.learning.test_stages import Recorders, folder


def test_a_folder_of_other_work_is_refused(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    with pytest.raises(Stopped):
        pretrain(small_pretrain, pool.select("pretrain"), tmp_path, make_recorder(stop_at=2))
    other = small_pretrain.model_copy(update={"seed": 1})
    with pytest.raises(CheckpointError, match="belongs to other work; it differs in seed"):
        pretrain(other, pool.select("pretrain"), tmp_path, make_recorder())


def test_a_loss_that_is_not_finite_stops_the_training(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    wild = TrainConfig(epochs=3, batch_size=4, lr=1e30, schedule="constant")
    config = small_pretrain.model_copy(update={"pretrain": wild})
    recorder = make_recorder()
    with pytest.raises(
        FloatingPointError, match=r"no number since step 2, with learning rate 1e\+30"
    ):
        pretrain(config, pool.select("pretrain"), tmp_path, recorder)
    assert len(recorder.saves) <= 1  # the step that broke it was finite still, the next was not


def test_a_pretraining_that_does_not_fit_is_refused_with_every_mismatch(
    tmp_path: Path,
    pool: Manifest,
    actions: Manifest,
    small_pretrain: PretrainConfig,
    small_finetune: FinetuneConfig,
    make_recorder: Recorders,
) -> None:
    pretrain(small_pretrain, pool.select("pretrain"), folder(tmp_path / "pre"), make_recorder())
    out = folder(tmp_path / "out")
    train = actions.select("train", 1)
    for update, message in (
        ({"modality": "dif"}, "was trained with modality rgb"),
        (
            {"model": ModelConfig(width=4, hidden=8)},
            "was trained with model.width 2, but is to be used with 4; make them equal",
        ),
        (
            {"model": ModelConfig(width=2, shortcut="B")},
            r"missing: layer2.0.downsample.0.weight.*layer4.0.downsample.1.weight",
        ),
    ):
        config = small_finetune.model_copy(update=update)
        with pytest.raises(CheckpointError, match=message):
            finetune(config, train, tmp_path / "pre", out, make_recorder())


def test_a_network_is_only_scored_on_its_own_classes(
    tmp_path: Path,
    actions: Manifest,
    small_finetune: FinetuneConfig,
    make_recorder: Recorders,
) -> None:
    finetune(small_finetune, actions.select("train", 1), None, tmp_path, make_recorder())
    test = actions.select("test", 1)
    fewer = type(test)(test.folder, test.classes[:-1], test.fingerprint, "test", 1, test.videos)
    with pytest.raises(DataError, match="was trained on the classes"):
        evaluate(ScoreConfig(), tmp_path, fewer, folder(tmp_path / "out"), make_recorder())


def test_only_a_sound_fine_tuned_network_is_scored(
    tmp_path: Path,
    actions: Manifest,
    small_finetune: FinetuneConfig,
    make_recorder: Recorders,
) -> None:
    finetune(small_finetune, actions.select("train", 1), None, tmp_path, make_recorder())
    test, out = actions.select("test", 1), folder(tmp_path / "out")
    tuned = load_network(tmp_path)
    save_network(replace(tuned, kind="pretrain"), out)
    with pytest.raises(CheckpointError, match="holds a pretrain network"):
        evaluate(ScoreConfig(), out, test, out, make_recorder())
    weights = {**tuned.weights, "fc2.bias": torch.full((8,), torch.nan)}
    save_network(replace(tuned, weights=weights), out)
    with pytest.raises(CheckpointError, match="its training has diverged"):
        evaluate(ScoreConfig(), out, test, out, make_recorder())


def test_a_batch_too_small_to_normalise_is_refused(
    tmp_path: Path,
    pool: Manifest,
    actions: Manifest,
    small_pretrain: PretrainConfig,
    small_finetune: FinetuneConfig,
    make_recorder: Recorders,
) -> None:
    train = actions.select("train", 1)
    single = small_finetune.model_copy(update={"finetune": TuneConfig(epochs=1, batch_size=1)})
    with pytest.raises(UserError, match=r"finetune\.batch_size must be at least 2"):
        finetune(single, train, None, folder(tmp_path / "tuned"), make_recorder())
    alone = {"pretrain": TrainConfig(epochs=1, batch_size=1), "pretext": PretextConfig(views=1)}
    with pytest.raises(UserError, match=r"pretrain\.batch_size must be at least 2"):
        pretrain(
            small_pretrain.model_copy(update=alone),
            pool.select("pretrain"),
            folder(tmp_path / "pre"),
            make_recorder(),
        )
    tune = TuneConfig(epochs=1, batch_size=1, freeze=5)  # nothing is normalised by the batch
    still = small_finetune.model_copy(update={"finetune": tune})
    finetune(still, train, None, folder(tmp_path / "still"), make_recorder())


def test_a_network_is_never_tested_on_another_split_of_what_it_learnt(
    tmp_path: Path,
    actions: Manifest,
    small_finetune: FinetuneConfig,
    make_recorder: Recorders,
) -> None:
    finetune(small_finetune, actions.select("train", 1), None, tmp_path, make_recorder())
    out = folder(tmp_path / "out")
    with pytest.raises(DataError, match=r"was trained on split 1 of .*; give split 1"):
        evaluate(ScoreConfig(), tmp_path, actions.select("test", 2), out, make_recorder())


def test_a_fine_tuning_is_not_continued_from_another_pretraining(
    tmp_path: Path,
    pool: Manifest,
    actions: Manifest,
    small_pretrain: PretrainConfig,
    small_finetune: FinetuneConfig,
    make_recorder: Recorders,
) -> None:
    for seed in (0, 1):
        config = small_pretrain.model_copy(update={"seed": seed})
        out = folder(tmp_path / f"pre{seed}")
        pretrain(config, pool.select("pretrain"), out, make_recorder())
    train, out = actions.select("train", 1), folder(tmp_path / "out")
    with pytest.raises(Stopped):
        finetune(small_finetune, train, tmp_path / "pre0", out, make_recorder(stop_at=3))
    with pytest.raises(CheckpointError, match="it differs in init"):
        finetune(small_finetune, train, tmp_path / "pre1", out, make_recorder())
    finetune(small_finetune, train, tmp_path / "pre0", out, make_recorder())
