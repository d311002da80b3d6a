"""The linear probe: chosen on held-out videos alone, fitted again on all, scored once."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from rotnet.config import FusionConfig, ProbeConfig
from rotnet.data.holdout import hold_out
from rotnet.data.manifest import Manifest
from rotnet.data.video import VideoSet
from rotnet.errors import UserError
from rotnet.evaluation.fuse import fuse
from rotnet.evaluation.linear import linear
from rotnet.evaluation.probes import best, best_of_each, try_probes
from rotnet.evaluation.scores import VAL_SCORES, Scores
from rotnet.learning.watch import Stopped, StopWish, Unwatched

LINEAR = {"clips": 2, "l2": (1e-2, 1.0)}


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def probe(config: ProbeConfig, actions: Manifest, out: Path, test: VideoSet) -> dict[str, float]:
    return linear(config, None, actions.select("train", 1), test, folder(out), Unwatched())


def test_what_is_separable_is_found_and_what_is_noise_is_not() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 3
    noise = torch.randn(300, 20, generator=generator)
    features = {"noise": noise, "signal": noise + 8 * torch.eye(3, 20)[labels]}
    held_out = torch.arange(300) < 150
    calls: list[None] = []
    trials = try_probes(features, labels, held_out, 3, (0.1, 10.0), lambda: calls.append(None))
    each = best_of_each(trials)
    assert list(each) == ["noise", "signal"]
    assert best(trials).name == "signal"
    assert each["signal"].val_accuracy == 1.0
    assert each["noise"].val_accuracy == pytest.approx(1 / 3, abs=0.15)
    assert [(t.name, t.l2) for t in trials[:2]] == [("noise", 10.0), ("noise", 0.1)]
    assert len(calls) == len(trials) == 4


def test_of_equally_accurate_probes_the_surer_one_is_chosen() -> None:
    labels = torch.arange(40) % 2
    features = {"signal": labels[:, None] * 2.0 - 1}
    trials = try_probes(features, labels, torch.arange(40) < 10, 2, (10.0, 0.01), lambda: None)
    assert [trial.val_accuracy for trial in trials] == [1.0, 1.0]
    assert best(trials).l2 == 0.01


def test_nothing_but_the_accuracy_depends_on_the_labels_of_the_test_videos(
    tmp_path: Path, actions: Manifest, small: dict[str, object]
) -> None:
    config = ProbeConfig.model_validate({**small, "linear": LINEAR})
    test = actions.select("test", 1)
    labels = [video.label for video in test.videos]
    turned = [*labels[1:], labels[0]]
    shuffled = replace(
        test,
        videos=tuple(
            replace(video, label=label) for video, label in zip(test.videos, turned, strict=True)
        ),
    )
    one = probe(config, actions, tmp_path / "one", test)
    other = probe(config, actions, tmp_path / "other", shuffled)
    for name in ("val_accuracy", "chosen_stage", "chosen_pool", "chosen_l2"):
        assert one[name] == other[name]
    for name in ("one", "other"):
        scores = Scores.load(tmp_path / name)
        np.testing.assert_array_equal(
            scores.probabilities, Scores.load(tmp_path / "one").probabilities
        )


def test_every_stage_is_told_and_the_chosen_one_speaks_for_all(
    tmp_path: Path, actions: Manifest, small: dict[str, object]
) -> None:
    config = ProbeConfig.model_validate({**small, "linear": LINEAR})
    test, out = actions.select("test", 1), tmp_path / "out"
    found = probe(config, actions, out, test)
    with (out / "probes.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = list(dict.fromkeys(row["features"] for row in rows))
    assert {"stem", "stem_pool2", "layer4"} <= set(names)
    assert len(rows) == 2 * len(names)
    for name in names:
        tested = [row["test_accuracy"] for row in rows if row["features"] == name]
        (accuracy,) = filter(None, tested)  # one weight decay of each is scored, and no other
        assert found[f"accuracy_{name}"] == float(accuracy)
    (chosen,) = [row for row in rows if row["chosen"] == "1"]
    assert found["accuracy"] == found[f"accuracy_{chosen['features']}"]
    assert found["val_accuracy"] == max(float(row["val_accuracy"]) for row in rows)
    assert found["videos"] == len(test)
    assert Scores.load(out).videos == tuple(video.path for video in test.videos)
    _, held_out = hold_out(actions.select("train", 1).videos, 0.2, config.seed)
    judged = Scores.load(out, VAL_SCORES)
    assert judged.videos == tuple(video.path for video in held_out)
    right = judged.probabilities.argmax(1) == judged.labels
    assert found["val_accuracy"] == pytest.approx(right.mean())


def test_grids_of_which_none_fits_any_stage_are_refused(
    tmp_path: Path, actions: Manifest, small: dict[str, object]
) -> None:
    config = ProbeConfig.model_validate({**small, "linear": {**LINEAR, "pools": (30, 40)}})
    with pytest.raises(UserError, match=r"at most 5 x 5, .* clips of 20 pixels .*\[30, 40\]"):
        probe(config, actions, tmp_path / "out", actions.select("test", 1))


@pytest.mark.parametrize("rule", ["mean_softmax", "mean_logits", "fitted"])
def test_probes_of_both_modalities_can_be_fused(
    tmp_path: Path, actions: Manifest, small: dict[str, object], rule: str
) -> None:
    test = actions.select("test", 1)
    for modality in ("rgb", "dif"):
        settings = {**small, "linear": LINEAR, "modality": modality}
        probe(ProbeConfig.model_validate(settings), actions, tmp_path / modality, test)
    members = {name: tmp_path / name for name in ("rgb", "dif")}
    config = FusionConfig.model_validate({"fuse": {"rule": rule}})
    assert fuse(config, members, folder(tmp_path / "fused"))["videos"] == len(test)


def test_a_probe_without_patience_ends(
    tmp_path: Path, actions: Manifest, small: dict[str, object], saved: Callable[..., Path]
) -> None:
    train, test = actions.select("train", 1), actions.select("test", 1)
    with pytest.raises(ValidationError, match="greater than 0"):
        ProbeConfig.model_validate({**small, "linear": {"val_fraction": 0.0}})

    class Patient(Unwatched):
        def __init__(self, questions: int) -> None:
            self.left = questions

        def should_stop(self) -> StopWish:
            self.left -= 1
            return "no" if self.left >= 0 else "now"

    config = ProbeConfig.model_validate({**small, "linear": LINEAR})
    batches = sum(-(-2 * len(one) // config.runtime.eval_batch) for one in (train, test))
    init = saved(train)
    with pytest.raises(Stopped, match="after batch 1"):
        linear(config, init, train, test, tmp_path, Patient(0))
    with pytest.raises(Stopped, match="between two probes"):
        linear(config, init, train, test, tmp_path, Patient(batches))
