"""Checkpoints are whole, harmless, and say what does not fit."""

from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch

from rotnet.config import ModelConfig
from rotnet.errors import CheckpointError
from rotnet.learning.checkpoint import (
    CONVERTED,
    Network,
    load_network,
    load_weights,
    make_model,
    read,
    save_network,
    write,
)
from rotnet.models.net import HEAD, build


def test_a_network_comes_back_as_it_was(tmp_path: Path) -> None:
    weights = build(ModelConfig(width=2), 4, seed=0).state_dict()
    save_network(Network("pretrain", {"modality": "rgb"}, ("0", "90"), "abc", 2, weights), tmp_path)
    found = load_network(tmp_path)
    assert (found.kind, found.classes) == ("pretrain", ("0", "90"))
    assert (found.data, found.split) == ("abc", 2)
    assert all(torch.equal(found.weights[name], weights[name]) for name in weights)
    assert [path.name for path in tmp_path.iterdir()] == ["network.pt"]


def test_equal_content_makes_equal_files_wherever_its_strings_came_from(tmp_path: Path) -> None:
    one, other = "a word", "".join(["a ", "word"])
    assert one is not other
    write(tmp_path / "one", {"said": [one, one], one: {"again": one}})
    write(tmp_path / "other", {"said": [one, other], other: {"again": one}})
    assert read(tmp_path / "one")["said"] == [one, one]
    assert _pickled(tmp_path / "one") == _pickled(tmp_path / "other")


def _pickled(path: Path) -> bytes:
    with ZipFile(path) as archive:
        name = next(each for each in archive.namelist() if each.endswith("data.pkl"))
        return archive.read(name)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "network.pt.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        write(tmp_path / "network.pt", {"weights": torch.zeros(100_000)})


def test_the_head_stays_and_the_backbone_moves() -> None:
    source, target = (build(ModelConfig(width=2), k, seed=k) for k in (4, 7))
    head = target.fc2.weight.clone()
    dropped = load_weights(target, source.state_dict(), without=HEAD)
    assert dropped == ["fc1.bias", "fc1.weight", "fc2.bias", "fc2.weight"]
    assert torch.equal(target.fc2.weight, head)
    for name in ("layer4.1.bn2.bias", "conv1.weight"):
        assert torch.equal(target.state_dict()[name], source.state_dict()[name])


def test_every_mismatch_is_listed() -> None:
    weights = dict(build(ModelConfig(width=2), 4, seed=0).state_dict())
    weights["layer9.0.conv1.weight"] = weights.pop("layer1.0.conv1.weight")
    weights["bn1.bias"] = torch.zeros(5)
    with pytest.raises(CheckpointError) as caught:
        load_weights(build(ModelConfig(width=2), 4, seed=0), weights)
    message = str(caught.value)
    assert "1 missing: layer1.0.conv1.weight" in message
    assert "1 unexpected: layer9.0.conv1.weight" in message
    assert "bn1.bias is (5,), the network has (2,)" in message


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return Path.touch, (Path("exploded"),)  # type: ignore[return-value]


def test_code_in_a_checkpoint_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": 1, "bomb": Bomb()}, tmp_path / "network.pt")
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        load_network(tmp_path)
    assert not (tmp_path / "exploded").exists()


def test_a_missing_damaged_foreign_or_newer_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        read(path)
    write(path, {"step": 3})
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        read(path / "network.pt")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        read(path)
    write(path, {"weights": torch.zeros(4096)})
    content = bytearray(path.read_bytes())
    middle = content.index(bytes(8000)) + 4000
    content[middle] = 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        read(path)
    write(path, {"step": 3})
    with pytest.raises(CheckpointError, match="another kind of checkpoint: lacks kind, config"):
        read(path, ("kind", "step", "config"))
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match="not a checkpoint of this project"):
        read(path)
    torch.save({"format": 99}, path)
    with pytest.raises(CheckpointError, match="has format 99, newer than"):
        read(path)


def test_a_network_without_a_head_comes_back_with_its_origin(tmp_path: Path) -> None:
    weights = build(ModelConfig(width=2), 4, seed=3).state_dict()
    trunk = {name: each for name, each in weights.items() if name.split(".")[0] not in HEAD}
    config = {"model": ModelConfig(width=2).model_dump()}
    whose = {"file": "theirs.pth"}
    save_network(Network(CONVERTED, config, (), None, None, trunk, whose), tmp_path)
    found = load_network(tmp_path)
    assert (found.has_head, found.classes, found.data, found.origin) == (False, (), None, whose)
    model = make_model(found)
    assert all(torch.equal(model.state_dict()[name], trunk[name]) for name in trunk)
    assert model(torch.zeros(1, 3, 8, 32, 32).expand(2, -1, -1, -1, -1)).shape == (2, 1)


def test_a_network_is_made_as_its_own_settings_say() -> None:
    model = build(ModelConfig(width=2), 3, seed=3)
    config = {"model": ModelConfig(width=2).model_dump()}
    network = Network("finetune", config, ("a", "b", "c"), "abc", 1, model.state_dict())
    clips = torch.randn(2, 3, 8, 32, 32)
    assert network.has_head
    assert torch.equal(make_model(network).eval()(clips), model.eval()(clips))
    for other, why in (
        ({"width": 3}, "of another shape: conv1.weight is"),
        (
            {"backbone": "their_net"},
            r"not known here .*unknown backbone 'their_net'.*update rotnet",
        ),
    ):
        with pytest.raises(CheckpointError, match=why):
            make_model(replace(network, config={"model": other}))
