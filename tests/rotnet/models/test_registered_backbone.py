"""A package adds a backbone by entry point, without a fork."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import cross_entropy

from rotnet import registry
from rotnet.config import ModelConfig
from rotnet.errors import UserError
from rotnet.models.freezing import freeze
from rotnet.models.net import build

MODULE = """
from torch import nn
from rotnet.models.net import VideoNet

class Plain(VideoNet):
    stages = ("first", "second")
    strides = {"first": (2, 2), "second": (4, 4)}

    def __init__(self, config, num_outputs):
        super().__init__()
        self.first = nn.Conv3d(3, 4, 3, stride=2, padding=1)
        self.second = nn.Sequential(nn.Conv3d(4, 8, 3, stride=2, padding=1), nn.BatchNorm3d(8))
        self.add_head(8, config, num_outputs)

    def modules_of(self, stage):
        return (getattr(self, stage),)

    def maps(self, clips):
        first = self.first(clips)
        return {"first": first, "second": self.second(first)}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed distribution as pip leaves it, with a module and entry points."""
    (tmp_path / "their_plain_net.py").write_text(MODULE)
    info = tmp_path / "their_nets-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-nets\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rotnet.backbones]\nplain = their_plain_net:Plain\nbroken = their_plain_net:Absent\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._points.cache_clear()
    yield
    registry._points.cache_clear()
    sys.modules.pop("their_plain_net", None)


@pytest.mark.usefixtures("package")
def test_a_registered_backbone_builds_and_learns() -> None:
    model = build(ModelConfig(backbone="plain", hidden=8), 2, seed=0)
    freeze(model, 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    clips, labels = torch.randn(4, 3, 8, 16, 16), torch.tensor([0, 1, 0, 1])
    loss = cross_entropy(model(clips), labels)
    loss.backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    moved = {
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert not {"first.weight", "first.bias"} & moved
    assert {"second.0.weight", "second.1.running_mean", "fc1.weight", "fc2.weight"} <= moved
    assert cross_entropy(model(clips), labels) < loss
    assert model.map_size("second", 8, 16) == (2, 4)


@pytest.mark.usefixtures("package")
def test_one_that_cannot_be_loaded_is_named_with_its_package() -> None:
    with pytest.raises(UserError, match=r"'broken' .their_plain_net:Absent, .*cannot be loaded"):
        build(ModelConfig(backbone="broken"), 2, seed=0)


def test_without_the_package_its_name_is_unknown() -> None:
    registry._points.cache_clear()
    with pytest.raises(ValidationError, match="unknown backbone 'plain'"):
        ModelConfig(backbone="plain")
