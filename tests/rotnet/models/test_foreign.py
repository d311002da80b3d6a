"""Weights come out of other people's files, and nothing else does."""

import functools
import importlib
import pickle
import sys
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from rotnet.config import ModelConfig
from rotnet.errors import CheckpointError
from rotnet.models.foreign.files import read_tensors
from rotnet.models.foreign.origins import recognise
from rotnet.models.net import build

# A module as people write them: a partial of a function of its own, one of a method, a module that
# is not a parameter's owner, a buffer that no state dict has, settings of a class of their own.
THEIRS = """
from functools import partial
import torch
from torch import nn

def pad(maps, planes):
    raise RuntimeError("code of the file ran")

class Settings(dict):
    pass

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv3d(3, 2, 3)
        self.bn1 = nn.BatchNorm3d(2)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = nn.Sequential(nn.Conv3d(2, 2, 1), nn.Sequential(nn.Linear(2, 3)))
        self.downsample = partial(pad, planes=4)
        self.later = partial(self.forward)
        self.settings = Settings(depth=18)
        self.register_buffer("scratch", torch.zeros(3), persistent=False)
        self.absent = None

    def forward(self, clips):
        raise RuntimeError("code of the file ran")

    def __setstate__(self, state):
        raise RuntimeError("code of the file ran")
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network of a class that can be imported until `forget` is called."""
    (tmp_path / "their_resnet.py").write_text(THEIRS)
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        module = importlib.import_module("their_resnet")
    return module.Net()


def save(content: object, path: Path, *, legacy: bool = False) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a class's source is not at hand
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    sys.modules.pop("their_resnet", None)
    return path


def same(found: Any, expected: dict[str, Tensor]) -> None:
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pickled_module_gives_its_state_dict_and_runs_nothing(
    theirs: Any, tmp_path: Path, legacy: bool, wrapped: bool
) -> None:
    expected = theirs.state_dict()
    content = {"net": nn.DataParallel(theirs), "epoch": 3} if wrapped else theirs
    found = read_tensors(save(content, tmp_path / "net.pkl", legacy=legacy))
    same(found.tensors, expected)
    assert found.pickled
    assert found.where == (("net", "module.*") if wrapped else ())
    assert "their_resnet" not in sys.modules


class Bomb:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], tuple(self.call[1:])


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "bomb",
    [
        Bomb(Path.touch, Path("exploded")),
        Bomb(eval, "open('exploded', 'w')"),
        Bomb(exec, "open('exploded', 'w')"),
        Bomb(open, "exploded", "w"),
        Bomb(importlib.import_module, "this"),
        Bomb(torch.load, "exploded"),
        Bomb(torch.set_num_threads, 3),
        Bomb(functools.reduce, max, (1, 2)),
        Bomb(getattr(__import__("os"), "system"), "touch exploded"),  # noqa: B009
        Bomb(torch.hub.load_state_dict_from_url, "http://localhost/x"),
    ],
    ids=lambda bomb: bomb.call[0].__name__,
)
def test_what_no_network_is_made_of_is_refused_and_never_runs(
    bomb: Bomb, legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    path = save({"state_dict": OrderedDict(a=bomb)}, tmp_path / "net.pt", legacy=legacy)
    with pytest.raises(CheckpointError, match=r"refused: it asks for .*could run code") as caught:
        read_tensors(path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "exploded").exists()
    assert torch.get_num_threads() == threads


def test_functions_of_others_do_nothing_even_when_called(tmp_path: Path) -> None:
    calls = [Bomb(pytest.importorskip, "no such module"), Bomb(pytest.exit, "an object that exits")]
    reached = Bomb(getattr, Bomb(functools.partial, pytest.exit), "func")
    content = {"state_dict": {"a": torch.ones(2)}, "extra": [*calls, reached]}
    same(read_tensors(save(content, tmp_path / "net.pt")).tensors, {"a": torch.ones(2)})


def test_a_pickle_cannot_change_the_functions_it_may_call(tmp_path: Path) -> None:
    """BUILD sets attributes of whatever lies on the stack."""
    name = b"ctorch._utils\n_rebuild_tensor_v2\n"
    for state in (b"}X\x01\x00\x00\x00aK\x01s", b"N}X\x05\x00\x00\x00_callK\x01s\x86"):
        path = save({"state_dict": {}}, tmp_path / "net.pt", legacy=True)
        head, _, _ = path.read_bytes().partition(pickle.dumps({"state_dict": {}}, 2))
        assert head != path.read_bytes()
        path.write_bytes(head + b"\x80\x02" + name + state + b"b.")
        with pytest.raises(CheckpointError, match="refused: it changes a function"):
            read_tensors(path)


@pytest.mark.parametrize("keys", [(), ("state_dict",), ("model", "state_dict")])
def test_weights_are_found_where_training_scripts_leave_them(
    keys: tuple[str, ...], tmp_path: Path
) -> None:
    weights = {"conv1.weight": torch.ones(2), "fc.bias": torch.zeros(1)}
    content: Any = {f"module.{name}": tensor for name, tensor in weights.items()}
    for key in reversed(keys):
        content = {"epoch": 3, "arch": "resnet-18", key: content}
    found = read_tensors(save(content, tmp_path / "net.pth"))
    same(found.tensors, weights)
    assert found.where == (*keys, "module.*")
    assert not found.pickled


def test_a_prefix_takes_one_network_of_several(tmp_path: Path) -> None:
    content = {"encoder_q.a": torch.ones(1), "encoder_k.a": torch.zeros(1)}
    path = save(content, tmp_path / "moco.pt")
    assert read_tensors(path, prefix="encoder_q.").tensors == {"a": torch.ones(1)}
    with pytest.raises(CheckpointError, match="no tensor's name begins with 'query'"):
        read_tensors(path, prefix="query")


def test_a_file_of_several_things_needs_the_key(tmp_path: Path) -> None:
    path = save({"model": {"a": torch.ones(1)}, "net": {"a": torch.zeros(1)}}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"not clear .* --key \(it holds model, net\)"):
        read_tensors(path)
    assert read_tensors(path, key="net").tensors == {"a": torch.zeros(1)}
    with pytest.raises(CheckpointError, match="has no key 'other'"):
        read_tensors(path, key="other")


def test_safetensors_are_known_by_any_name(tmp_path: Path) -> None:
    for name in ("net.safetensors", "net.bin"):
        save_file({"module.a": torch.ones(2)}, tmp_path / name)
        found = read_tensors(tmp_path / name)
        same(found.tensors, {"a": torch.ones(2)})
        assert found.metadata == {}


def test_what_is_no_file_of_weights_is_one_line(tmp_path: Path) -> None:
    text, empty = tmp_path / "text.pt", tmp_path / "empty.pt"
    text.write_text("no weights")
    empty.touch()
    (tmp_path / "bad.safetensors").write_bytes(b"\x08" + bytes(7) + b"{broken}")
    program = tmp_path / "script.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.ReLU()), str(program))
    cut = save({"a": torch.ones(5000)}, tmp_path / "cut.pt")
    cut.write_bytes(cut.read_bytes()[:-3000])
    for path, why in (
        (tmp_path / "none.pt", "no such file"),
        (tmp_path, "is a folder"),
        (text, "text.pt: "),
        (empty, "empty.pt: "),
        (cut, "cut.pt: "),
        (program, "refused: it is a TorchScript program"),
        (tmp_path / "bad.safetensors", "not a readable safetensors file"),
        (save([1, 2], tmp_path / "list.pt"), "holds no weights but list"),
        (save({"epoch": 1}, tmp_path / "none2.pt"), r"--key \(it holds epoch\)"),
        (save({"format": 1, "kind": "pretrain", "weights": {}}, tmp_path / "n.pt"), "already"),
    ):
        with pytest.raises(CheckpointError, match=why) as caught:
            read_tensors(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        *(
            {"backbone": "resnet3d", "depth": depth, "shortcut": shortcut, "width": 3, "hidden": 5}
            for depth in (18, 34, 50)
            for shortcut in ("A", "B")
        ),
        {"backbone": "c3d", "hidden": 7},
        *({"backbone": name} for name in ("r3d_18", "mc3_18", "r2plus1d_18")),
    ],
)
def test_a_network_is_told_by_its_names_and_shapes(values: dict[str, Any]) -> None:
    weights = build(ModelConfig.model_validate(values), 4, seed=0).state_dict()
    found, origin = recognise(weights)
    assert found == values
    expected = {"resnet3d": "rotnet-released", "c3d": None}
    assert origin == expected.get(values["backbone"], "torchvision")


def test_networks_not_known_here_are_refused() -> None:
    with pytest.raises(CheckpointError, match=r"its names \(a, b, \.\.\.\) are of no network"):
        recognise({"a": torch.ones(1), "b": torch.ones(1)})
    weights = dict(build(ModelConfig(width=1), 4, seed=0).state_dict())
    shallow = {name: each for name, each in weights.items() if ".1." not in name}
    with pytest.raises(CheckpointError, match=r"1, 1, 1, 1 blocks, .* depth 18, 34, 50"):
        recognise(shallow)
