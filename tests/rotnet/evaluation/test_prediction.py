"""What networks say of new video files."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from rotnet.cli import main
from rotnet.config import (
    ClipConfig,
    FinetuneConfig,
    ModelConfig,
    PretrainConfig,
    RuntimeConfig,
    ScoreConfig,
)
from rotnet.data.catalog import FolderKind
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.errors import CheckpointError, DataError
from rotnet.evaluation.evaluate import evaluate
from rotnet.evaluation.new_videos import new_video
from rotnet.evaluation.opened import open_network
from rotnet.evaluation.prediction import predict
from rotnet.evaluation.scores import Scores
from rotnet.learning.checkpoint import CONVERTED, Network, save_network
from rotnet.learning.watch import StopWish
from rotnet.models.net import HEAD, build
from rotnet.views.room import source_side

CLIP = ClipConfig(frames=4, stride=2, resize=24, size=20)
MODEL = ModelConfig(width=2, hidden=4)


class Quiet:
    """A watch that says nothing and wishes nothing."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None: ...
    def saved(self, step: int, path: Path) -> None: ...
    def should_stop(self) -> StopWish:
        return "no"


def tuned(folder: Path, actions: Manifest) -> Path:
    """Save a network with random weights and strong opinions, as a fine-tuning leaves it."""
    config = FinetuneConfig(clip=CLIP, model=MODEL)
    weights = build(MODEL, len(actions.classes), seed=3).state_dict()
    weights["fc2.weight"] = weights["fc2.weight"] * 100
    return _save(folder, "finetune", config, actions.classes, weights, actions.fingerprint)


def pretrained(folder: Path, outputs: int, said: Tensor, **pretext: object) -> Path:
    """Save a pretraining that says the same of every view."""
    config = PretrainConfig.model_validate({"clip": CLIP, "model": MODEL, "pretext": pretext})
    weights = build(MODEL, outputs, seed=3).state_dict()
    weights["fc2.weight"] = torch.zeros_like(weights["fc2.weight"])
    weights["fc2.bias"] = said
    names = tuple(str(angle) for angle in config.pretext.angles)
    return _save(folder, "pretrain", config, names, weights, "")


def _save(
    folder: Path,
    kind: str,
    config: FinetuneConfig | PretrainConfig,
    classes: tuple[str, ...],
    weights: Mapping[str, Tensor],
    data: str,
) -> Path:
    folder.mkdir()
    plain = config.model_dump(mode="json")
    save_network(Network(kind, plain, classes, data, 1, weights), folder)
    return folder


def file_of(manifest: Manifest, index: int) -> Path:
    return manifest.folder.parent / "videos" / manifest.videos[index].path


def test_a_prediction_is_the_score_that_the_video_has_in_a_prepared_set(
    tmp_path: Path, actions: Manifest
) -> None:
    source = actions.folder.parent / "videos"
    whole = prepare(source, tmp_path / "set", FolderKind(), storage=Storage()).manifest
    network = tuned(tmp_path / "net", whole)
    evaluate(ScoreConfig(), network, whole.select("test", 1), tmp_path, Quiet())
    scores = Scores.load(tmp_path)
    assert scores.probabilities.std(axis=0).max() > 0.01  # it says other things of other videos
    for index in (0, len(scores.videos) - 1):
        with new_video(source / scores.videos[index], short_side=24) as new:
            found = predict(
                open_network(network), new.videos, clips=10, runtime=RuntimeConfig(eval_batch=3)
            )
        assert found.clips == 10
        by_name = dict(found.ranking)
        said = [by_name[name] for name in whole.classes]
        np.testing.assert_allclose(said, scores.probabilities[index], atol=1e-4)
        assert [share for _, share in found.ranking] == sorted(said, reverse=True)


def test_a_file_is_stored_as_preparation_stores_it_and_removed_again(actions: Manifest) -> None:
    with new_video(file_of(actions, 0), short_side=24) as new:
        folder, (video,) = new.videos.folder, new.videos.videos
        assert (video.frames, video.fps) == (actions.videos[0].frames, actions.videos[0].fps)
        assert folder.is_dir()
        assert new.note == ""
    assert not folder.exists()


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    for file, message in (
        (text, "text.mp4: it cannot be opened as a video"),
        (tmp_path / "none.mp4", "none.mp4: no such file"),
        (tmp_path, "a folder; give a video file"),
    ):
        with pytest.raises(DataError, match=message), new_video(file, short_side=24):
            pass


@pytest.mark.parametrize(
    ("pretext", "said", "expected"),
    [
        ({}, [0.0, 3.0, 0.0, 0.0], "90"),
        ({"path": "resampled"}, [0.0, 0.0, 0.0, 3.0], "270"),
        ({"rotations": 8, "target": "sincos"}, [-0.7, 0.7], "135"),
        ({"rotations": 360}, [0.0] * 100 + [5.0] + [0.0] * 259, "100"),
    ],
)
def test_a_pretrained_network_says_which_rotation_it_sees(
    pretext: dict[str, object],
    said: list[float],
    expected: str,
    tmp_path: Path,
    actions: Manifest,
) -> None:
    network = pretrained(tmp_path / "net", len(said), torch.tensor(said), **pretext)
    with new_video(file_of(actions, 0), short_side=24) as new:
        found = predict(open_network(network), new.videos, clips=2, runtime=RuntimeConfig())
    assert found.ranking[0][0] == expected
    assert sum(share for _, share in found.ranking) == pytest.approx(1.0)
    if pretext.get("target") == "sincos":
        assert found.ranking[0][1] == 1.0


@pytest.mark.parametrize("path", ["exact", "resampled"])
def test_a_pretrained_network_sees_the_video_as_it_is(
    path: str, tmp_path: Path, actions: Manifest
) -> None:
    network = open_network(pretrained(tmp_path / "net", 4, torch.zeros(4), path=path))
    given: list[Tensor] = []
    network.model.register_forward_pre_hook(lambda _, clips: given.append(clips[0]))
    with new_video(file_of(actions, 0), short_side=24) as new:
        predict(network, new.videos, clips=1, runtime=RuntimeConfig())
        whole = network.config.clip.model_copy(update={"size": given[0].shape[-1]})
        if path == "resampled":  # it reads a picture with room to turn in, and shows its middle
            whole = whole.model_copy(update={"resize": source_side(20)})
        loader = network.loader(new.videos, RuntimeConfig(), whole)
        upright = network.see(next(loader.scoring(clips=1, batch_size=1)))
    assert given[0].shape == upright.shape == (1, 3, 4, 20, 20)
    if path == "exact":
        assert torch.equal(given[0], upright)
        return
    alike = [
        float(torch.corrcoef(torch.stack([given[0].flatten(), turned.flatten()]))[0, 1])
        for turned in (torch.rot90(upright, turns, (3, 4)) for turns in range(4))
    ]
    assert alike[0] > 0.9  # low-passed, and moved by a part of a pixel
    assert alike[0] == max(alike)


def test_half_precision_is_for_the_network_and_not_for_what_it_is_shown(
    tmp_path: Path, actions: Manifest
) -> None:
    """Turned in bf16, a picture would have 8 bits of precision, and training never showed such."""
    given: list[Tensor] = []
    for precision in ("fp32", "bf16"):
        saved = pretrained(tmp_path / precision, 4, torch.zeros(4), path="resampled")
        network = open_network(saved)
        assert isinstance(network.config, PretrainConfig)
        training = network.config.pretrain.model_copy(update={"precision": precision})
        network = replace(network, config=network.config.model_copy(update={"pretrain": training}))
        network.model.register_forward_pre_hook(lambda _, clips: given.append(clips[0]))
        with new_video(file_of(actions, 0), short_side=24) as new:
            predict(network, new.videos, clips=1, runtime=RuntimeConfig())
    assert torch.equal(*given)


def test_a_network_that_names_nothing_is_refused(tmp_path: Path, actions: Manifest) -> None:
    config = PretrainConfig.model_validate(
        {"clip": CLIP, "model": MODEL, "pretext": {"task": "pace"}}
    )
    weights = build(MODEL, 4, seed=0).state_dict()
    pace = _save(tmp_path / "pace", "pretrain", config, ("1", "2", "3", "4"), weights, "")
    with (
        new_video(file_of(actions, 0), short_side=24) as new,
        pytest.raises(CheckpointError, match="was pretrained on 'pace'"),
    ):
        predict(open_network(pace), new.videos, clips=1, runtime=RuntimeConfig())
    diverged = pretrained(tmp_path / "nan", 4, torch.full((4,), torch.nan))
    with (
        new_video(file_of(actions, 0), short_side=24) as new,
        pytest.raises(CheckpointError, match="nan: gives no finite outputs"),
    ):
        predict(open_network(diverged), new.videos, clips=1, runtime=RuntimeConfig())


def test_weights_of_others_without_a_head_are_opened_and_name_nothing(
    tmp_path: Path, actions: Manifest
) -> None:
    weights = build(MODEL, 1, seed=0).state_dict()
    trunk = {name: value for name, value in weights.items() if name.split(".")[0] not in HEAD}
    seen = PretrainConfig(clip=CLIP, model=MODEL).model_dump(
        mode="json", include={"modality", "clip", "views", "model"}
    )
    folder = tmp_path / "net"
    folder.mkdir()
    save_network(Network(CONVERTED, seen, (), None, None, trunk), folder)
    network = open_network(folder)
    assert network.config.clip == CLIP
    assert torch.equal(network.model.state_dict()["conv1.weight"], trunk["conv1.weight"])
    with (
        new_video(file_of(actions, 0), short_side=24) as new,
        pytest.raises(CheckpointError, match="names no action: fine-tune it first"),
    ):
        predict(network, new.videos, clips=1, runtime=RuntimeConfig())


def test_a_bad_file_does_not_stop_the_others_and_shows_in_the_status(
    tmp_path: Path, actions: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    network = str(tuned(tmp_path / "net", actions))
    good, bad = str(file_of(actions, 0)), tmp_path / "bad.mp4"
    bad.write_bytes(b"\0" * 100)
    assert main(["predict", network, str(bad), good, "--top", "2"]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"error: {bad}: ")
    assert told.err.count("\n") == 1
    assert told.out.splitlines()[0] == good
    assert len(told.out.splitlines()) == 3
    assert main(["predict", network, str(bad), good, "--json", "--clips", "1"]) == 2
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["video"] == str(bad)
    assert "error" in first
    assert (second["video"], second["clips"], len(second["top"])) == (good, 1, 5)
    assert main(["predict", network, good]) == 0
    assert main(["predict", network, good, "--top", "0"]) == 2
