"""Networks go to other programs and come back; other people's come in whole or not at all."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool3d
from torchvision.models import video

from rotnet.cli import main
from rotnet.config import ClipConfig, FinetuneConfig, ModelConfig, PretrainConfig
from rotnet.learning.checkpoint import (
    NETWORK,
    Network,
    load_network,
    load_weights,
    make_model,
    save_network,
)
from rotnet.models.net import HEAD, VideoNet, build

CLIP = ClipConfig(frames=8, stride=1, resize=40, size=32)


def clips(batch: int) -> Tensor:
    return torch.randn(batch, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


def train_statistics(model: VideoNet) -> None:
    """Move the batch statistics and counters away from where all networks start."""
    with torch.no_grad():
        model.train()(clips(2))
    model.eval()


def network(folder: Path, **model: object) -> Path:
    """Save a network as training leaves it, channels last."""
    config = FinetuneConfig(clip=CLIP, model=ModelConfig.model_validate(model), modality="dif")
    net = build(config.model, 3, seed=0)
    train_statistics(net)
    net.to(memory_format=torch.channels_last_3d)
    folder.mkdir(parents=True)
    classes = ("run", "walk", "wave")
    settings = config.model_dump(mode="json")
    save_network(Network("finetune", settings, classes, "abc", 2, net.state_dict()), folder)
    return folder


def trunk(weights: Any) -> dict[str, Tensor]:
    return {name: each for name, each in weights.items() if name.split(".")[0] not in HEAD}


def same(found: Any, expected: Any) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def do(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert main([str(word) for word in words]) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert line.count("\n") == 1
    return line


def test_safetensors_hold_a_network_whole_and_give_it_back(tmp_path: Path) -> None:
    folder, file = network(tmp_path / "net", width=2, shortcut="B"), tmp_path / "net.safetensors"
    do("export", folder, file)
    do("convert", file, tmp_path / "back")
    before, after = load_network(folder), load_network(tmp_path / "back")
    same(after.weights, before.weights)
    for name in ("kind", "config", "classes", "data", "split"):
        assert getattr(after, name) == getattr(before, name)
    with safe_open(file, framework="pt") as opened:
        told = json.loads(opened.metadata()["rotnet"])
    assert told["classes"] == ["run", "walk", "wave"]
    assert "torch" in told["versions"]


@pytest.mark.parametrize("depth", [18, 50])
def test_kenshoharas_names_come_back_bit_equal(
    depth: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = network(tmp_path / "net", width=2, depth=depth), tmp_path / "net.pth"
    do("export", folder, file, "--format", "kenshohara")
    assert "fc1 and fc2 keep their names" in capsys.readouterr().out
    content = torch.load(file, weights_only=True)
    assert content["arch"] == f"resnet-{depth}"
    same(content["state_dict"], load_network(folder).weights)
    do("convert", file, tmp_path / "back", "--modality", "dif", "--frames", 8)
    found = load_network(tmp_path / "back")
    same(found.weights, trunk(load_network(folder).weights))
    assert found.kind == "converted"
    assert found.config["modality"] == "dif"
    assert found.config["clip"]["frames"] == 8
    do("convert", file, tmp_path / "whole", "--keep-head")
    same(load_network(tmp_path / "whole").weights, load_network(folder).weights)


@pytest.mark.parametrize(
    "name",
    [
        "mc3_18",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("r3d_18", "r2plus1d_18")),
    ],
)
def test_torchvisions_own_network_loads_the_export_and_agrees(name: str, tmp_path: Path) -> None:
    folder, file = network(tmp_path / "net", backbone=name), tmp_path / "net.pth"
    do("export", folder, file, "--format", "torchvision")
    theirs = getattr(video, name)(weights=None).eval()
    result = theirs.load_state_dict(torch.load(file, weights_only=True), strict=False)
    assert set(result.missing_keys) == {"fc.weight", "fc.bias"}
    assert not result.unexpected_keys
    theirs.fc = nn.Identity()
    with torch.inference_mode():
        ours = make_model(load_network(folder)).eval().features(clips(2))
        assert torch.allclose(theirs(clips(2)), ours, atol=1e-5)
    do("convert", file, tmp_path / "back")
    found = load_network(tmp_path / "back")
    same(found.weights, trunk(load_network(folder).weights))
    assert found.config["model"]["backbone"] == name


def test_torchvisions_own_checkpoint_becomes_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = video.mc3_18(weights=None).eval()
    torch.save(theirs.state_dict(), tmp_path / "mc3.pth")
    do("convert", tmp_path / "mc3.pth", tmp_path / "net")
    said = capsys.readouterr().out
    assert "network   mc3_18" in said
    assert "left out  2: fc.bias, fc.weight" in said
    assert "all of the network's" in said
    assert "rgb, 16 frames of stride 2, 112 of 128 pixels" in said
    assert "mean [0.43216, 0.394666, 0.37645]" in said
    assert "assumed, after torchvision" in said
    found = load_network(tmp_path / "net")
    assert (found.kind, found.classes, found.data, found.has_head) == ("converted", (), None, False)
    assert found.origin["from"] == "torchvision"
    features = make_model(found).eval().features(clips(2))
    maps = nn.Sequential(*list(theirs.children())[:5])(clips(2))
    assert torch.allclose(features, adaptive_avg_pool3d(maps, 1).flatten(1), atol=1e-5)


@pytest.mark.parametrize("model", [{"width": 2, "shortcut": "A-detached"}, {"backbone": "c3d"}])
def test_a_program_gives_what_the_network_gives_for_any_batch(
    model: dict[str, object], tmp_path: Path
) -> None:
    folder, file = network(tmp_path / "net", dropout=0.5, **model), tmp_path / "net.pt2"
    do("export", folder, file, "--format", "torch-export")
    extra = {"rotnet.json": ""}
    program = torch.export.load(file, extra_files=extra).module()
    ours = make_model(load_network(folder)).eval()
    with torch.inference_mode():
        for batch in (1, 2, 5):
            found = program(clips(batch))
            assert found.shape == (batch, 3)
            assert torch.allclose(found, ours(clips(batch)), atol=1e-6)
    assert json.loads(extra["rotnet.json"])["classes"] == ["run", "walk", "wave"]


def test_a_program_of_a_network_without_a_head_gives_features(tmp_path: Path) -> None:
    net = build(ModelConfig(width=2), 4, seed=0).eval()
    torch.save({"state_dict": trunk(net.state_dict())}, tmp_path / "net.pth")
    small = ("--frames", 8, "--resize", 40, "--size", 32)
    do("convert", tmp_path / "net.pth", tmp_path / "net", "--from", "kenshohara", *small)
    do("export", tmp_path / "net", tmp_path / "net.pt2", "--format", "torch-export")
    program = torch.export.load(tmp_path / "net.pt2").module()
    with torch.inference_mode():
        assert torch.allclose(program(clips(3)), net.features(clips(3)), atol=1e-6)


def test_a_released_checkpoint_is_converted_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pickled module in the old format, on a DataParallel, without batch counters."""
    net = build(ModelConfig(width=2, hidden=5), 4, seed=0)
    train_statistics(net)
    expected = {name: each.clone() for name, each in net.state_dict().items()}
    for module in net.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.num_batches_tracked = None
    file = tmp_path / "116000net.pkl"
    torch.save(nn.DataParallel(net), file, _use_new_zipfile_serialization=False)
    do("convert", file, tmp_path / "net", "--keep-head")
    said = capsys.readouterr().out
    assert "pickled module, of which no code was run" in said
    assert "set to 0  17 num_batches_tracked" in said
    assert "assumed, after 3DRotNet's train.py" in said
    found = load_network(tmp_path / "net")
    assert found.classes == ("0", "1", "2", "3")
    assert found.config["model"]["hidden"] == 5
    counters = [name for name in expected if name.endswith("num_batches_tracked")]
    same(found.weights, expected | {name: torch.tensor(0) for name in counters})


def test_a_converted_network_starts_others(tmp_path: Path) -> None:
    source = build(ModelConfig(width=2), 4, seed=0)
    torch.save(source.state_dict(), tmp_path / "net.pt")
    do("convert", tmp_path / "net.pt", tmp_path / "net")
    found = load_network(tmp_path / "net")
    settings = PretrainConfig.model_validate(found.config)
    assert settings.views == PretrainConfig().views
    target = build(settings.model, 7, seed=1)
    load_weights(target, found.weights, without=HEAD)
    same(trunk(target.state_dict()), trunk(source.state_dict()))


def test_equal_files_make_equal_networks(tmp_path: Path) -> None:
    torch.save(build(ModelConfig(width=2), 4, seed=0).state_dict(), tmp_path / "net.pt")
    for name in ("one", "two"):
        do("convert", tmp_path / "net.pt", tmp_path / name)
    assert (tmp_path / "one" / NETWORK).read_bytes() == (tmp_path / "two" / NETWORK).read_bytes()


def test_nothing_is_loaded_in_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = dict(build(ModelConfig(width=2), 4, seed=0).state_dict())
    del weights["layer3.0.conv2.weight"], weights["layer4.1.bn1.bias"]
    weights["queue"] = torch.zeros(3)
    weights["layer1.0.conv1.weight"] = torch.zeros(2, 2, 1, 3, 3)
    file, out = tmp_path / "net.pt", tmp_path / "out"
    torch.save(weights, file)
    line = refused(capsys, "convert", file, out)
    assert "net.pt: the weights do not fit" in line
    assert "2 missing: layer3.0.conv2.weight, layer4.1.bn1.bias" in line
    assert "1 unexpected: queue" in line
    assert "layer1.0.conv1.weight is (2, 2, 1, 3, 3), the network has (2, 2, 3, 3, 3)" in line
    assert not out.exists()
    assert "unexpected" not in refused(capsys, "convert", file, out, "--drop", "queue")


def test_what_is_not_told_must_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = build(ModelConfig(width=2), 4, seed=0).state_dict()
    file, out = tmp_path / "net.pt", tmp_path / "out"
    torch.save(trunk(weights), file)
    line = refused(capsys, "convert", file, out)
    assert "--from (torchvision, kenshohara, rotnet-released), or --mean and --std" in line
    assert "no head to keep" in refused(
        capsys, "convert", file, out, "--from", "kenshohara", "--keep-head"
    )
    colours = ("--mean", 0.5, 0.5, 0.5, "--std", 0.25, 0.25, 0.25)
    assert "std must be greater than 0" in refused(
        capsys, "convert", file, out, *colours[:4], "--std", 0, 1, 1
    )
    do("convert", file, out, *colours)
    assert "but mean, std as given" in capsys.readouterr().out
    assert load_network(out).config["views"]["mean"] == [0.5, 0.5, 0.5]
    assert "holds a network already" in refused(capsys, "convert", file, out, *colours)
    assert "is a network of rotnet already" in refused(
        capsys, "convert", out / NETWORK, tmp_path / "other"
    )


def test_the_settings_of_an_own_export_are_not_given_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = network(tmp_path / "net", width=2), tmp_path / "net.safetensors"
    do("export", folder, file)
    assert "leave out --modality, --depth" in refused(
        capsys, "convert", file, tmp_path / "out", "--modality", "rgb", "--depth", 34
    )


def test_a_form_that_cannot_hold_a_network_is_refused_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, c3d = network(tmp_path / "ours", width=2), network(tmp_path / "c3d", backbone="c3d")
    out = tmp_path / "out" / "net.pth"
    line = refused(capsys, "export", ours, out, "--format", "torchvision")
    assert "torchvision has no resnet3d; it has r3d_18, mc3_18" in line
    line = refused(capsys, "export", c3d, out, "--format", "kenshohara")
    assert "the network is c3d" in line
    assert not list((tmp_path / "out").iterdir())
    do("export", ours, out)
    assert "exists already" in refused(capsys, "export", ours, out)
    assert "no such checkpoint" in refused(capsys, "export", tmp_path, tmp_path / "x")
