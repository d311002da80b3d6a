"""What a stage gives to rotnet: the rows of each role, and the network to start from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from rotlab.execution.stage import stages
from rotlab.planning.plan.weights import weights_fingerprint
from rotlab.planning.stage import DataRef
from rotnet.config import FinetuneConfig, ProbeConfig, RetrieveConfig
from rotnet.data.manifest import Manifest
from rotnet.data.video import VideoSet
from rotnet.errors import DataError
from rotnet.learning.watch import Unwatched

Given = Sequence[tuple[DataRef, Path]]
FROZEN = [
    (stages.linear, "probe_network", ProbeConfig()),
    (stages.retrieval, "retrieve", RetrieveConfig()),
]


@pytest.fixture
def given(actions: Manifest) -> Given:
    """The two sides of a split, as a plan refers to them, in no order that counts."""
    return [
        (DataRef("mine", role, 2, actions.fingerprint), actions.folder)
        for role in ("test", "train")
    ]


@pytest.fixture
def weights(tmp_path: Path) -> tuple[DataRef, Path]:
    """Weights in a file, as a plan refers to them."""
    folder = tmp_path / "r3d"
    folder.mkdir()
    (folder / "network.pt").write_bytes(b"weights")
    return DataRef("r3d", "weights", None, weights_fingerprint(folder)), folder


def rows(videos: VideoSet) -> tuple[str, int | None, int]:
    return videos.role, videos.split, len(videos.videos)


@pytest.mark.parametrize(("stage", "name", "config"), FROZEN)
def test_a_frozen_network_is_measured_on_both_sides_of_its_split(
    stage: Any,
    name: str,
    config: Any,
    given: Given,
    actions: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    seen: list[Any] = []

    def note(*arguments: Any) -> Mapping[str, float]:
        seen.append(arguments)
        return {"accuracy": 1.0}

    monkeypatch.setattr(stages, name, note)
    for inputs in ({"init": tmp_path / "pre"}, {}):
        assert stage(config, inputs, given, tmp_path, Unwatched()) == {"accuracy": 1.0}
    for (took, init, train, test, folder, *_), expected in zip(
        seen, (tmp_path / "pre", None), strict=True
    ):
        assert (took, init, folder) == (config, expected, tmp_path)
        assert rows(train) == rows(actions.select("train", 2))
        assert rows(test) == rows(actions.select("test", 2))


@pytest.mark.parametrize("stage", [stages.finetune, *(stage for stage, *_ in FROZEN)])
def test_weights_are_what_a_network_starts_from(
    stage: Any,
    given: Given,
    weights: tuple[DataRef, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(stages, "score_held_out", lambda *_: None)
    for name in ("finetune_network", *(name for _, name, _ in FROZEN)):
        monkeypatch.setattr(stages, name, lambda *arguments: seen.append(arguments))
    stage(FinetuneConfig(), {}, [*given, weights], tmp_path, Unwatched())
    assert weights[1] in seen[0]


def test_weights_that_changed_since_the_plan_are_refused(
    given: Given, weights: tuple[DataRef, Path], tmp_path: Path
) -> None:
    (weights[1] / "network.pt").write_bytes(b"others")
    with pytest.raises(DataError, match=r"network 'r3d' .* changed since the plan was made"):
        stages.finetune(FinetuneConfig(), {}, [*given, weights], tmp_path, Unwatched())
