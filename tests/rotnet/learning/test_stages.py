"""Pretraining and fine-tuning: they learn, continue bit-equal, and refuse what does not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rotnet.config import (
    DataConfig,
    EvaluateConfig,
    FinetuneConfig,
    ModelConfig,
    PretextConfig,
    PretrainConfig,
    RuntimeConfig,
    ScoreConfig,
    TrainConfig,
)
from rotnet.data.manifest import Manifest
from rotnet.evaluation.evaluate import evaluate
from rotnet.evaluation.scores import Scores
from rotnet.learning.checkpoint import load_network
from rotnet.learning.finetune import finetune
from rotnet.learning.pretrain import pretrain
from rotnet.learning.table import read_table
from rotnet.learning.watch import Stopped
from rotnet.models.net import build

Recorders = Callable[..., Any]


def same_network(one: Path, other: Path) -> bool:
    first, second = load_network(one).weights, load_network(other).weights
    return all(torch.equal(first[name], second[name]) for name in first)


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize("modality", ["rgb", "dif"])
@pytest.mark.parametrize("wish", ["now", "at_checkpoint"])
def test_an_interrupted_pretraining_ends_bit_equal(
    tmp_path: Path,
    pool: Manifest,
    small_pretrain: PretrainConfig,
    make_recorder: Recorders,
    modality: str,
    wish: str,
) -> None:
    config = small_pretrain.model_copy(update={"modality": modality})
    videos = pool.select("pretrain")
    whole = make_recorder()
    expected = pretrain(config, videos, folder(tmp_path / "whole"), whole)

    broken = folder(tmp_path / "broken")
    history = []
    for stop_at in (3, 5):
        recorder = make_recorder(stop_at=stop_at, wish=wish)
        with pytest.raises(Stopped):
            pretrain(config, videos, broken, recorder)
        history += recorder.reports
    last = make_recorder()
    assert pretrain(config, videos, broken, last) == expected
    assert same_network(tmp_path / "whole", broken)
    assert (tmp_path / "whole/history.json").read_text() == (broken / "history.json").read_text()
    assert dict(history + last.reports) == dict(whole.reports)


def test_loader_threads_and_checkpoints_do_not_change_a_result(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    for name, runtime in (
        ("a", RuntimeConfig(workers=0, checkpoint_s=1e9, eval_batch=64)),
        ("b", RuntimeConfig(workers=3, checkpoint_s=0.0, eval_batch=64)),
    ):
        config = small_pretrain.model_copy(update={"runtime": runtime})
        pretrain(config, pool.select("pretrain"), folder(tmp_path / name), make_recorder())
    assert same_network(tmp_path / "a", tmp_path / "b")


def test_what_is_recomputed_does_not_change_a_result(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    found = []
    for again in (False, True):
        runtime = RuntimeConfig(recompute=again)
        config = small_pretrain.model_copy(update={"runtime": runtime})
        out = folder(tmp_path / str(again))
        found.append(pretrain(config, pool.select("pretrain"), out, make_recorder()))
    assert found[0] == found[1]
    assert same_network(tmp_path / "False", tmp_path / "True")


def test_a_batch_in_parts_is_learnt_from_and_continues_bit_equal(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    training = small_pretrain.pretrain.model_copy(update={"accumulate": 2})
    config = small_pretrain.model_copy(update={"pretrain": training})
    videos = pool.select("pretrain")
    expected = pretrain(config, videos, folder(tmp_path / "whole"), make_recorder())
    with pytest.raises(Stopped):
        pretrain(config, videos, folder(tmp_path / "broken"), make_recorder(stop_at=5))
    assert pretrain(config, videos, tmp_path / "broken", make_recorder()) == expected
    assert same_network(tmp_path / "whole", tmp_path / "broken")


def test_what_is_scored_at_once_does_not_change_what_held_out_videos_are_shown(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    """Angles, shifts and jitter of the views to be judged on are drawn by chance."""
    pretext = PretextConfig(rotations=8, views=2)
    found = []
    for eval_batch in (32, 2):
        runtime = RuntimeConfig(eval_batch=eval_batch)
        config = small_pretrain.model_copy(update={"pretext": pretext, "runtime": runtime})
        out = folder(tmp_path / str(eval_batch))
        found.append(pretrain(config, pool.select("pretrain"), out, make_recorder()))
    assert found[1] == pytest.approx(found[0], rel=1e-4)


def test_a_pretraining_reports_epochs_and_judges_every_rotation(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    recorder = make_recorder()
    metrics = pretrain(small_pretrain, pool.select("pretrain"), tmp_path, recorder)
    assert [step for step, _ in recorder.reports] == [4, 8, 12]
    assert metrics["steps"] == 12
    assert (metrics["videos"], metrics["val_videos"]) == (16, 4)
    rotations = [metrics[f"val_accuracy_{angle}"] for angle in (0, 90, 180, 270)]
    assert metrics["val_accuracy"] == pytest.approx(sum(rotations) / 4)
    rows = read_table(tmp_path / "confusion.csv")
    assert [row["class"] for row in rows] == ["0", "90", "180", "270"]
    assert [int(row[row["class"]]) / 4 for row in rows] == rotations
    assert [sum(int(row[angle]) for angle in ("0", "90", "180", "270")) for row in rows] == [4] * 4
    (tmp_path / "confusion.csv").unlink()  # and the process died before it could be written
    assert pretrain(small_pretrain, pool.select("pretrain"), tmp_path, make_recorder()) == metrics
    assert read_table(tmp_path / "confusion.csv") == rows
    assert recorder.saves[-1] == 12


@pytest.mark.parametrize(
    "pretext",
    [
        {"rotations": 8, "views": 2},
        {"rotations": 360, "views": 2},
        {"rotations": 360, "smoothing": 4.0, "views": 2},
        {"rotations": 360, "target": "sincos", "views": 2},
        {"rotations": 4, "path": "resampled", "target": "scalar"},
        {"rotations": 4, "room": "any_angle", "labels": "random", "views": 2},
        {"task": "pace", "paces": [1, 2]},
    ],
)
@pytest.mark.parametrize("modality", ["rgb", "dif"])
def test_every_pretext_learns_is_judged_and_continues_bit_equal(
    tmp_path: Path,
    pool: Manifest,
    small_pretrain: PretrainConfig,
    make_recorder: Recorders,
    pretext: dict[str, object],
    modality: str,
) -> None:
    changed = {"pretext": PretextConfig.model_validate(pretext), "modality": modality}
    config = small_pretrain.model_copy(update=changed)
    videos = pool.select("pretrain")
    metrics = pretrain(config, videos, folder(tmp_path / "whole"), make_recorder())
    assert 0 <= metrics["val_accuracy"] <= 1
    assert ("val_circular_error" in metrics) == (config.pretext.task == "rotation")
    assert 0 <= metrics.get("val_circular_error", 0) <= 180
    broken = folder(tmp_path / "broken")
    with pytest.raises(Stopped):
        pretrain(config, videos, broken, make_recorder(stop_at=3))
    assert pretrain(config, videos, broken, make_recorder()) == metrics
    assert same_network(tmp_path / "whole", broken)


def test_dropout_hangs_on_the_seed_and_continues_bit_equal(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    model = small_pretrain.model.model_copy(update={"dropout": 0.5})
    config = small_pretrain.model_copy(update={"model": model})
    videos = pool.select("pretrain")
    metrics = pretrain(config, videos, folder(tmp_path / "one"), make_recorder())
    torch.rand(7)  # what a process has drawn before plays no part
    before = torch.get_rng_state()
    with pytest.raises(Stopped):
        pretrain(config, videos, folder(tmp_path / "two"), make_recorder(stop_at=5))
    assert torch.equal(torch.get_rng_state(), before)
    assert pretrain(config, videos, tmp_path / "two", make_recorder()) == metrics
    assert same_network(tmp_path / "one", tmp_path / "two")
    assert metrics != pretrain(
        small_pretrain, videos, folder(tmp_path / "without"), make_recorder()
    )


def test_a_resampled_rotation_counts_pictures_that_are_enlarged_for_it(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    config = small_pretrain.model_copy(update={"pretext": PretextConfig(rotations=8, views=1)})
    metrics = pretrain(config, pool.select("pretrain"), tmp_path, make_recorder())
    assert metrics["upscaled_videos"] == metrics["videos"]  # 24 pixels are stored, 37 are needed


def test_pretraining_on_less_learns_from_some_of_the_same_and_is_judged_on_the_same(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    half = small_pretrain.model_copy(update={"data": DataConfig(pretrain_fraction=0.5)})
    metrics = pretrain(half, pool.select("pretrain"), tmp_path, make_recorder())
    assert (metrics["videos"], metrics["val_videos"]) == (8, 4)


@pytest.mark.parametrize("from_scratch", [False, True])
def test_frozen_stages_stay_as_they_are_and_later_ones_learn(
    tmp_path: Path,
    pool: Manifest,
    actions: Manifest,
    small_pretrain: PretrainConfig,
    small_finetune: FinetuneConfig,
    make_recorder: Recorders,
    from_scratch: bool,
) -> None:
    pretrain(small_pretrain, pool.select("pretrain"), folder(tmp_path / "pre"), make_recorder())
    tune = small_finetune.finetune.model_copy(update={"freeze": 3, "clip_gradient": 1.0})
    config = small_finetune.model_copy(update={"finetune": tune})
    init = None if from_scratch else tmp_path / "pre"
    finetune(config, actions.select("train", 1), init, folder(tmp_path / "tuned"), make_recorder())
    after = load_network(tmp_path / "tuned").weights
    before = (
        build(config.model, 8, config.seed).state_dict()
        if from_scratch
        else load_network(tmp_path / "pre").weights
    )
    for name, weight in after.items():
        frozen = name.split(".")[0] in ("conv1", "bn1", "layer1", "layer2")
        statistics = "running" in name or "num_batches" in name
        if frozen and not (from_scratch and statistics):
            assert torch.equal(weight, before[name]), name
        elif frozen and "running" in name:
            assert not torch.equal(weight, before[name]), name
    assert not torch.equal(after["layer4.1.conv2.weight"], before["layer4.1.conv2.weight"])


def test_low_shot_learns_from_so_many_videos_of_each_class(
    tmp_path: Path, actions: Manifest, small_finetune: FinetuneConfig, make_recorder: Recorders
) -> None:
    tune = small_finetune.finetune.model_copy(update={"shots": 1})
    config = small_finetune.model_copy(update={"finetune": tune})
    metrics = finetune(config, actions.select("train", 1), None, tmp_path, make_recorder())
    assert metrics["videos"] == len(actions.classes)


def test_a_final_training_holds_nothing_out(
    tmp_path: Path, actions: Manifest, small_finetune: FinetuneConfig, make_recorder: Recorders
) -> None:
    tune = small_finetune.finetune.model_copy(update={"final": "train+val"})
    config = small_finetune.model_copy(update={"finetune": tune})
    train = actions.select("train", 1)
    metrics = finetune(config, train, None, tmp_path, make_recorder())
    assert (metrics["videos"], metrics["val_videos"]) == (len(train), 0)
    assert "val_accuracy" not in metrics


def test_fine_tuning_starts_from_the_backbone_and_scores_every_test_video(
    tmp_path: Path,
    pool: Manifest,
    actions: Manifest,
    small_pretrain: PretrainConfig,
    small_finetune: FinetuneConfig,
    make_recorder: Recorders,
) -> None:
    pretrain(small_pretrain, pool.select("pretrain"), folder(tmp_path / "pre"), make_recorder())
    train, test = actions.select("train", 1), actions.select("test", 1)
    for name, init in (("tuned", tmp_path / "pre"), ("scratch", None)):
        finetune(small_finetune, train, init, folder(tmp_path / name), make_recorder())
    assert not same_network(tmp_path / "tuned", tmp_path / "scratch")

    config = ScoreConfig(evaluate=EvaluateConfig(clips=3))
    out = folder(tmp_path / "scores")
    metrics = evaluate(config, tmp_path / "tuned", test, out, make_recorder())
    scores = Scores.load(out)
    assert scores.videos == tuple(video.path for video in test.videos)
    assert metrics["chance"] == 1 / 8
    expected = [test.classes[label] for label in scores.labels]
    assert expected == [video.label for video in test.videos]
    assert evaluate(config, tmp_path / "tuned", test, out, make_recorder()) == metrics


@pytest.mark.slow
def test_a_network_learns_the_rotations(
    tmp_path: Path, pool: Manifest, small_pretrain: PretrainConfig, make_recorder: Recorders
) -> None:
    longer = TrainConfig(epochs=40, batch_size=8, lr=0.05, schedule="cosine", val_fraction=0.2)
    config = small_pretrain.model_copy(
        update={"pretrain": longer, "model": ModelConfig(width=8), "runtime": RuntimeConfig()}
    )
    metrics = pretrain(config, pool.select("pretrain"), tmp_path, make_recorder())
    assert metrics["train_accuracy"] > 0.8
