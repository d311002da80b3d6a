"""A contact sheet shows what a training is given, and nothing else."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from rotnet.cli import main
from rotnet.config import ClipConfig, FinetuneConfig, ModelConfig, PretrainConfig, ViewConfig
from rotnet.data.manifest import Manifest
from rotnet.evaluation.training_batch import finetuning_batch, pretraining_batch
from rotnet.learning import finetune, pretrain
from rotnet.learning.watch import StopWish
from rotnet.models.net import VideoNet, build
from rotnet.pictures.sheet import as_pixels
from rotnet.views.modality import as_input

CLIP = ClipConfig(frames=4, stride=2, resize=24, size=20)
TRAINING = {"epochs": 1, "batch_size": 4, "val_fraction": 0.2}
VIEWS = {"grey": 0.5, "chroma_shift": 1.0}
BASE = {"clip": CLIP, "model": ModelConfig(width=2, hidden=4), "views": VIEWS, "seed": 7}


class Quiet:
    """A watch that says nothing and wishes nothing."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None: ...
    def saved(self, step: int, path: Path) -> None: ...
    def should_stop(self) -> StopWish:
        return "no"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """What networks are given while they train, batch by batch."""
    inputs: list[Tensor] = []

    def recording(*args: Any, **kwargs: Any) -> VideoNet:
        model = build(*args, **kwargs)

        def record(module: nn.Module, clips: tuple[Tensor, ...]) -> None:
            if module.training:
                inputs.append(clips[0].detach().clone())

        model.register_forward_pre_hook(record)
        return model

    monkeypatch.setattr(pretrain, "build", recording)
    monkeypatch.setattr(finetune, "build", recording)
    return inputs


@pytest.mark.parametrize(
    ("modality", "pretext", "data"),
    [
        ("rgb", {}, {}),
        ("dif", {"path": "resampled", "views": 2}, {"pretrain_fraction": 0.6}),
        ("rgb", {"task": "pace", "paces": [1, 2]}, {}),
    ],
)
def test_a_sheet_shows_what_pretraining_is_given(
    modality: str,
    pretext: dict[str, object],
    data: dict[str, float],
    tmp_path: Path,
    pool: Manifest,
    given: list[Tensor],
) -> None:
    config = PretrainConfig.model_validate(
        {**BASE, "modality": modality, "pretext": pretext, "data": data, "pretrain": TRAINING}
    )
    videos = pool.select("pretrain")
    pretrain.pretrain(config, videos, tmp_path, Quiet())
    for step in (0, 1):
        batch = pretraining_batch(config, videos, step)
        assert torch.equal(batch.inputs, given[step])
        assert len(batch.labels) == len(batch.inputs) == 4 * batch.copies


def test_a_sheet_shows_what_fine_tuning_is_given(
    tmp_path: Path, actions: Manifest, given: list[Tensor]
) -> None:
    config = FinetuneConfig.model_validate({**BASE, "finetune": {**TRAINING, "shots": 1}})
    videos = actions.select("train", 1)
    finetune.finetune(config, videos, None, tmp_path, Quiet())
    batch = finetuning_batch(config, videos, 1)
    assert torch.equal(batch.inputs, given[1])
    of_video = {video.path: video.label for video in videos.videos}
    assert batch.labels == tuple(of_video[path] for path in batch.videos)


def test_labels_of_the_control_are_told_as_they_are_learnt(pool: Manifest) -> None:
    config = {**BASE, "pretrain": TRAINING}
    videos = pool.select("pretrain")
    true = pretraining_batch(PretrainConfig.model_validate(config), videos, 0)
    control = PretrainConfig.model_validate({**config, "pretext": {"labels": "random"}})
    told = pretraining_batch(control, videos, 0)
    assert torch.equal(true.inputs, told.inputs)
    assert true.labels == ("0°", "90°", "180°", "270°") * 4
    assert true.labels != told.labels


def test_pixels_come_back_from_what_was_made_of_them() -> None:
    rng = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (2, 3, 5, 6, 3), dtype=torch.uint8, generator=rng)
    views = ViewConfig()
    found = as_pixels(as_input(pixels, "rgb", views), "rgb", views)
    np.testing.assert_array_equal(found, pixels.numpy())


@pytest.mark.parametrize(
    "views",
    [
        ViewConfig(),
        ViewConfig(dif="diff_only"),
        ViewConfig(dif="diff_std", dif_std=(0.1, 0.2, 0.3)),
    ],
)
def test_differences_are_drawn_around_mid_grey(views: ViewConfig) -> None:
    frames = torch.tensor([100, 100, 130, 90, 255, 0], dtype=torch.uint8)
    clips = frames.view(1, 6, 1, 1, 1).expand(1, 6, 2, 2, 3)
    found = as_pixels(as_input(clips, "dif", views), "dif", views)
    assert found.shape == (1, 5, 2, 2, 3)
    for time, level in enumerate([128, 158, 88, 255, 0]):
        assert (found[0, time] == level).all()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--modality", "dif", "--frames", "9", "--clips", "99", "--step", "3"],
        ["--task", "finetune", "--clips", "5"],
        ["--set", "pretext.rotations=360", "--clips", "1", "--frames", "1"],
    ],
)
def test_the_command_draws_a_sheet(words: list[str], tmp_path: Path, actions: Manifest) -> None:
    small = ["--recipe", "tiny", "--set", "clip.resize=24", "--set", "clip.size=20"]
    out = tmp_path / "sheet.png"
    assert main(["sheet", str(actions.folder), str(out), *small, *words]) == 0
    with Image.open(out) as image:
        assert min(image.size) > 40


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (lambda out: [str(out / "a.jpg")], "must be named *.png"),
        (lambda out: [str(out / "a.png"), "--clips", "0"], "--clips must be at least 1, got 0"),
        (lambda out: [str(out / "a.png"), "--task", "tune"], "unknown 'tune'; did you mean"),
    ],
)
def test_a_bad_request_is_one_line(
    words: Callable[[Path], list[str]],
    message: str,
    tmp_path: Path,
    actions: Manifest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sheet", str(actions.folder), *words(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
