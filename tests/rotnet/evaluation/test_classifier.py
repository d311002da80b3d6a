"""A network asked by raw clips says what evaluation says; joined ones what a fusion does."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rotnet.config import ClipConfig, FinetuneConfig, Modality, ModelConfig
from rotnet.errors import CheckpointError
from rotnet.evaluation.classifier import Classifier, open_classifier
from rotnet.evaluation.opened import open_network
from rotnet.learning.checkpoint import Network, save_network
from rotnet.models.net import build
from rotnet.views.modality import as_input

SMALL = ModelConfig(depth=18, width=4, hidden=8)


def saved(
    folder: Path, modality: Modality, *, seed: int = 0, size: int = 16, kind: str = "finetune"
) -> Path:
    folder.mkdir()
    config = FinetuneConfig(
        modality=modality, clip=ClipConfig(frames=4, stride=2, resize=size, size=size), model=SMALL
    )
    weights = build(SMALL, 3, seed).state_dict()
    values = config.model_dump(mode="json")
    save_network(Network(kind, values, ("a", "b", "c"), None, None, weights), folder)
    return folder


def clips(frames: int) -> Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, frames, 16, 16, 3), dtype=torch.uint8, generator=chance)


def own(folder: Path, given: Tensor) -> Tensor:
    """What rotnet's own evaluation says of clips."""
    opened = open_network(folder)
    with opened.looking():
        return opened.model(as_input(given, opened.config.modality, opened.config.views))


@torch.inference_mode()
def said(classifier: Classifier, given: Tensor) -> Tensor:
    return classifier(given)


@pytest.mark.parametrize(("modality", "frames"), [("rgb", 4), ("dif", 5)])
def test_raw_clips_give_what_the_network_says_of_prepared_ones(
    tmp_path: Path, modality: Modality, frames: int
) -> None:
    folder = saved(tmp_path / "net", modality)
    classifier = open_classifier({"it": folder})
    assert (classifier.clip.frames, classifier.clip.stride, classifier.clip.size) == (frames, 2, 16)
    given = clips(frames)
    torch.testing.assert_close(said(classifier, given), own(folder, given))
    torch.testing.assert_close(said(classifier, given.float()), said(classifier, given))


@pytest.mark.parametrize("of_logits", [True, False])
@pytest.mark.parametrize("weights", [None, {"rgb": 0.25, "dif": 0.75}, {"rgb": 1.0, "dif": 0.0}])
def test_joined_networks_say_what_a_fusion_does(
    tmp_path: Path, weights: Mapping[str, float] | None, of_logits: bool
) -> None:
    folders = {name: saved(tmp_path / name, name, seed=1) for name in ("rgb", "dif")}
    joined = open_classifier(folders, weights, of_logits=of_logits)
    given = clips(5)
    rgb, dif = own(folders["rgb"], given[:, :4]), own(folders["dif"], given)
    first, second = (weights or {"rgb": 0.5, "dif": 0.5}).values()
    if of_logits:
        expected = (first * rgb + second * dif).softmax(1)
    else:
        expected = first * rgb.softmax(1) + second * dif.softmax(1)
    torch.testing.assert_close(said(joined, given).softmax(1), expected)


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    rgb, large = saved(tmp_path / "rgb", "rgb"), saved(tmp_path / "large", "dif", size=32)
    with pytest.raises(CheckpointError, match=r"rgb and dif do not go into one network: .* clips"):
        open_classifier({"rgb": rgb, "dif": large})
    with pytest.raises(CheckpointError, match="holds a pretrain network, which names no action"):
        open_classifier({"it": saved(tmp_path / "pre", "rgb", kind="pretrain")})
