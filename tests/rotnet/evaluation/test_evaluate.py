"""Evaluation: clips, crops and videos of a fine-tuned network, and its held-out videos."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from rotnet.config import EvaluateConfig, FinetuneConfig, RuntimeConfig, ScoreConfig, TuneConfig
from rotnet.data.holdout import hold_out
from rotnet.data.manifest import Manifest
from rotnet.errors import DataError
from rotnet.evaluation.evaluate import evaluate
from rotnet.evaluation.held_out import score_held_out
from rotnet.evaluation.inputs import network_input, scoring_loader
from rotnet.evaluation.scores import VAL_SCORES, Scores
from rotnet.learning.checkpoint import load_network, make_model
from rotnet.learning.watch import Unwatched

Save = Callable[..., Path]


def scoring(clips: int = 3, crops: Literal[1, 3] = 1) -> ScoreConfig:
    return ScoreConfig(evaluate=EvaluateConfig(clips=clips, crops=crops))


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize("crops", [1, 3])
def test_a_video_is_the_mean_of_its_clips_and_each_counts_by_itself(
    tmp_path: Path, actions: Manifest, saved: Save, crops: Literal[1, 3]
) -> None:
    network, test = saved(actions.select("train", 1)), actions.select("test", 1)
    found = evaluate(scoring(3, crops), network, test, folder(tmp_path / "out"), Unwatched())
    scores = Scores.load(tmp_path / "out")

    tuned = load_network(network)
    settings = FinetuneConfig.model_validate(tuned.config)
    model = make_model(tuned).eval()
    see = network_input("rgb", settings.views, torch.device("cpu"))
    loader = scoring_loader(test, settings.clip, "rgb", RuntimeConfig())
    batches = list(loader.scoring(clips=3, crops=crops, batch_size=5))
    with torch.no_grad():
        logits = torch.cat([model(see(batch)).double() for batch in batches])
    owner = torch.cat([batch.videos for batch in batches])
    assert scores.clips is not None
    assert scores.logits is not None
    assert scores.clips.tolist() == [3 * crops] * len(test)  # every picture is wider than high
    for index in range(len(test)):
        mine = logits[owner == index]
        np.testing.assert_allclose(scores.probabilities[index], mine.softmax(1).mean(0), rtol=1e-4)
        np.testing.assert_allclose(scores.logits[index], mine.mean(0), atol=1e-4)
    right = logits.argmax(1).numpy() == scores.labels[owner]
    assert found["clip_accuracy"] == pytest.approx(right.mean())


def test_held_out_videos_are_scored_and_go_with_the_network(
    tmp_path: Path, actions: Manifest, saved: Save
) -> None:
    train, test = actions.select("train", 1), actions.select("test", 1)
    network = saved(train, finetune=TuneConfig(val_fraction=0.25), seed=3)
    scores = score_held_out(scoring(), network, train, Unwatched())
    assert scores is not None
    _, held_out = hold_out(train.videos, 0.25, 3)
    assert scores.videos == tuple(video.path for video in held_out)
    evaluate(scoring(), network, test, folder(tmp_path / "out"), Unwatched())
    assert Scores.load(tmp_path / "out", VAL_SCORES).videos == scores.videos

    other = saved(train, name="other")  # an old copy does not stay beside another network's scores
    evaluate(scoring(), other, test, tmp_path / "out", Unwatched())
    assert not (tmp_path / "out" / VAL_SCORES).exists()


@pytest.mark.parametrize(
    "tune", [TuneConfig(val_fraction=0.0), TuneConfig(val_fraction=0.25, final="train+val")]
)
def test_a_network_that_has_learnt_from_all_videos_has_no_validation_scores(
    actions: Manifest, saved: Save, tune: TuneConfig
) -> None:
    train = actions.select("train", 1)
    network = saved(train, finetune=tune)
    (network / VAL_SCORES).touch()
    assert score_held_out(scoring(), network, train, Unwatched()) is None
    assert not (network / VAL_SCORES).exists()


def test_a_network_trained_on_the_whole_set_is_not_tested_on_a_part_of_it(
    tmp_path: Path, actions: Manifest, saved: Save
) -> None:
    network = saved(replace(actions.select("train", 1), split=None))
    with pytest.raises(DataError, match=r"trained on all of .*, the test videos of split 1 too"):
        evaluate(scoring(), network, actions.select("test", 1), tmp_path, Unwatched())
