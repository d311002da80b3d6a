"""What stages leave of where their networks look changes nothing of what they find."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rotlab.execution.stage import attention, stages
from rotlab.planning.stage import DataRef
from rotnet.config import (
    ClipConfig,
    EvaluateConfig,
    FinetuneConfig,
    LinearConfig,
    ModelConfig,
    PretrainConfig,
    ProbeConfig,
    RetrievalConfig,
    RetrieveConfig,
    RuntimeConfig,
    ScoreConfig,
    TrainConfig,
    TuneConfig,
    ViewConfig,
    identity,
)
from rotnet.data.holdout import hold_out
from rotnet.data.manifest import Manifest
from rotnet.evaluation.opened import open_network
from rotnet.learning.checkpoint import Network, save_network
from rotnet.learning.watch import Unwatched
from rotnet.models.net import build
from rotnet.pictures.few import few_of, strip_of
from rotnet.pictures.strip import FILE, Strip

CLIP = ClipConfig(frames=4, stride=4, resize=24, size=20)
MODEL = ModelConfig(width=2, hidden=8)
SMALL: dict[str, Any] = {"clip": CLIP, "model": MODEL}


def given(data: Manifest, *roles: Any) -> list[tuple[DataRef, Path]]:
    """A set as stages are given it."""
    split = None if roles == ("pretrain",) else 1
    return [(DataRef("demo", role, split, data.fingerprint), data.folder) for role in roles]


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.fixture
def tuned(tmp_path: Path, actions: Manifest) -> Path:
    """A network as a fine-tuning leaves it."""
    config = FinetuneConfig(**SMALL, finetune=TuneConfig(val_fraction=0.0))
    train, place = actions.select("train", 1), folder(tmp_path / "tuned")
    weights = build(MODEL, len(train.classes), 3).state_dict()
    plain = config.model_dump(mode="json")
    save_network(Network("finetune", plain, train.classes, train.fingerprint, 1, weights), place)
    return place


def evaluated(
    tuned: Path, actions: Manifest, place: Path, runtime: RuntimeConfig
) -> Mapping[str, float]:
    config = ScoreConfig(evaluate=EvaluateConfig(clips=2), runtime=runtime)
    test = given(actions, "test")
    return stages.evaluate(config, {"network": tuned}, test, place, Unwatched())


def test_a_scoring_leaves_the_attention_of_its_network_to_the_first_of_its_test_videos(
    tuned: Path, actions: Manifest, tmp_path: Path
) -> None:
    place = folder(tmp_path / "scores")
    evaluated(tuned, actions, place, RuntimeConfig(workers=0, attention=2))
    found = Strip.load(place / FILE)
    expected = strip_of(open_network(tuned), few_of(actions.select("test", 1), 2), 32)
    assert found.videos == expected.videos
    for row, pictures in expected.pictures.items():
        np.testing.assert_array_equal(found.pictures[row], pictures)
    assert (place / FILE).stat().st_size < 20_000


def test_without_them_scores_and_keys_are_the_same_and_old_ones_do_not_stay(
    tuned: Path, actions: Manifest, tmp_path: Path
) -> None:
    shown, bare = folder(tmp_path / "shown"), folder(tmp_path / "bare")
    (bare / FILE).write_bytes(b"of an earlier attempt")
    metrics = [
        evaluated(tuned, actions, place, RuntimeConfig(workers=0, attention=count))
        for place, count in ((shown, 4), (bare, 0))
    ]
    assert metrics[0] == metrics[1]
    names = [{one.name for one in place.iterdir()} for place in (shown, bare)]
    assert names[0] - names[1] == {FILE}
    for name in names[1]:
        assert (shown / name).read_bytes() == (bare / name).read_bytes()
    configs = [ScoreConfig(runtime=RuntimeConfig(attention=count)) for count in (0, 4)]
    assert identity(configs[0]) == identity(configs[1])


def test_maps_that_cannot_be_made_cost_no_result_and_the_log_says_why(
    tuned: Path,
    actions: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> Strip:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(attention, "strip_of", fail)
    with caplog.at_level(logging.WARNING):
        found = evaluated(tuned, actions, folder(tmp_path / "a"), RuntimeConfig(workers=0))
    assert 0 <= found["accuracy"] <= 1
    assert not (tmp_path / "a" / FILE).exists()
    assert "no attention maps are left: RuntimeError: out of memory" in caplog.text


@pytest.mark.parametrize("init", [True, False])
def test_frozen_networks_leave_theirs_and_a_random_one_stands_for_itself(
    tuned: Path, actions: Manifest, tmp_path: Path, *, init: bool
) -> None:
    inputs = {"init": tuned} if init else {}
    both = given(actions, "train", "test")
    runtime = RuntimeConfig(workers=0, attention=2)
    views = ViewConfig()
    probing = ProbeConfig(
        **SMALL, views=views, linear=LinearConfig(clips=1, l2=(1.0,)), runtime=runtime
    )
    searching = RetrieveConfig(
        **SMALL, views=views, retrieval=RetrievalConfig(clips=1), runtime=runtime
    )
    places = [folder(tmp_path / name) for name in ("linear", "retrieval")]
    stages.linear(probing, inputs, both, places[0], Unwatched())
    stages.retrieval(searching, inputs, both, places[1], Unwatched())
    strips = [Strip.load(place / FILE) for place in places]
    for strip in strips:
        assert ("random" in strip.pictures) is init
        np.testing.assert_array_equal(strip.pictures["network"], strips[0].pictures["network"])
    if init:
        expected = strip_of(open_network(tuned), few_of(actions.select("test", 1), 2), 32)
        np.testing.assert_array_equal(strips[0].pictures["network"], expected.pictures["network"])


def test_a_pretraining_shows_what_it_held_out(pool: Manifest, tmp_path: Path) -> None:
    config = PretrainConfig(
        **SMALL,
        pretrain=TrainConfig(epochs=1, batch_size=4, val_fraction=0.25),
        runtime=RuntimeConfig(workers=0),
    )
    place = folder(tmp_path / "pre")
    stages.pretrain(config, {}, given(pool, "pretrain"), place, Unwatched())
    _, held_out = hold_out(pool.select("pretrain").videos, 0.25, 0)
    strip = Strip.load(place / FILE)
    assert set(strip.videos) <= {video.path for video in held_out}
    assert (len(strip.videos), strip.role) == (4, "pretrain")
