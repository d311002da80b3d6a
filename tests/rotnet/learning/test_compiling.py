"""A network is compiled where that can be done, and where not it says why and computes as it is."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rotnet.config import PretrainConfig
from rotnet.data.manifest import Manifest
from rotnet.errors import UserError
from rotnet.learning import compiling
from rotnet.learning.checkpoint import load_network
from rotnet.learning.pretrain import pretrain
from rotnet.learning.watch import Unwatched

CPU = torch.device("cpu")


def test_without_a_compiler_a_training_says_why_and_is_the_one_that_is_not_compiled(
    tmp_path: Path,
    pool: Manifest,
    small_pretrain: PretrainConfig,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def none(*_args: Any, **_options: Any) -> Any:
        raise RuntimeError("No working C++ compiler found\nlong tale")

    monkeypatch.setattr(torch, "compile", none)
    networks = []
    for compiled in (False, True):
        training = small_pretrain.pretrain.model_copy(update={"compile": compiled})
        config = small_pretrain.model_copy(update={"pretrain": training})
        folder = tmp_path / str(compiled)
        folder.mkdir()
        with caplog.at_level(logging.WARNING):
            pretrain(config, pool.select("pretrain"), folder, Unwatched())
        networks.append(load_network(folder).weights)
    assert [record.message for record in caplog.records] == [
        "the network is not compiled (No working C++ compiler found): it is computed as it is"
    ]
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])


def test_a_network_that_cannot_be_compiled_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch._dynamo.exc

    def fail(model: nn.Module, **_options: Any) -> Any:
        def forward(_views: Any) -> Any:
            raise torch._dynamo.exc.Unsupported("an odd thing\nand its tale")

        return forward if isinstance(model, nn.Module) else model

    monkeypatch.setattr(torch, "compile", fail)
    forward = compiling.compiled(nn.Linear(1, 1), CPU)
    with pytest.raises(UserError, match=r"cannot be compiled \(an odd thing\); set compile to"):
        forward(torch.ones(1, 1))


@pytest.mark.slow
def test_a_compiled_network_says_nearly_what_it_says_uncompiled() -> None:
    if (reason := compiling.why_not(CPU)) is not None:
        pytest.skip(f"nothing can be compiled here: {reason}")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv3d(3, 4, 3), nn.BatchNorm3d(4), nn.ReLU())
    clips = torch.randn(2, 3, 4, 6, 6)
    torch.testing.assert_close(compiling.compiled(net, CPU)(clips), net(clips))
