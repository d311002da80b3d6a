"""Networks for other programs: their weights under others' names, or as a program."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.export import Dim

from rotnet.config import ClipConfig, ModelConfig
from rotnet.errors import UserError
from rotnet.learning.checkpoint import Network, make_model, versions
from rotnet.models.foreign.files import METADATA
from rotnet.models.net import HEAD, VideoNet

Form = Literal["safetensors", "torchvision", "kenshohara", "torch-export"]
BATCH = 2  # of the example that a program is traced with; any other fits it


def export(network: Network, path: Path, form: Form) -> str:
    """Write a network to a file of another form, and return what to know of it, in a line.

    safetensors holds every weight under its own name, and the settings (see `describe`), so that
    `rotnet convert` gives the same network back. torchvision and kenshohara are state dicts for
    those projects' networks, written by torch.save. torch-export is a program for
    `torch.export.load`, of normalised clips (B, 3, T, H, W) for any B; the settings lie in it as
    rotnet.json.

    Raises:
        UserError: if the form cannot hold the network.
    """
    with _aside(path) as aside:
        return _WRITERS[form](network, aside)


def describe(network: Network) -> dict[str, Any]:
    """Return all of a network but its weights, as plain values."""
    return {
        "kind": network.kind,
        "config": dict(network.config),
        "classes": list(network.classes),
        "data": network.data,
        "split": network.split,
        "origin": dict(network.origin),
        "versions": versions(),
    }


def _safetensors(network: Network, path: Path) -> str:
    save_file(_whole(network.weights), path, {"format": "pt", METADATA: _text(network)})
    return "every weight, and the settings as metadata"


def _torchvision(network: Network, path: Path) -> str:
    backbone = _model(network).backbone
    if backbone not in ("r3d_18", "mc3_18", "r2plus1d_18"):
        raise UserError(
            f"--format torchvision: torchvision has no {backbone}; it has r3d_18, mc3_18 and "
            "r2plus1d_18. Use --format safetensors"
        )
    trunk = {name: each for name, each in network.weights.items() if name.split(".")[0] not in HEAD}
    torch.save(_whole(trunk), path)
    return (
        f"a state dict for torchvision.models.video.{backbone}; its fc is not among it, and fc1 "
        "and fc2 are left out: load it with strict=False"
    )


def _kenshohara(network: Network, path: Path) -> str:
    model = _model(network)
    if model.backbone != "resnet3d":
        raise UserError(
            f"--format kenshohara: these names are resnet3d's, and the network is {model.backbone}"
            ". Use --format safetensors"
        )
    content = {"arch": f"resnet-{model.depth}", "state_dict": _whole(network.weights)}
    torch.save(content, path)
    head = "fc1 and fc2 keep their names, where theirs has fc: load it with strict=False"
    return (
        f"a checkpoint of 3D-ResNets-PyTorch's resnet, depth {model.depth}, shortcut "
        f"{model.shortcut[0]}; {head if network.has_head else 'without fc'}"
    )


def _program(network: Network, path: Path) -> str:
    clip = ClipConfig.model_validate(network.config["clip"])
    model = make_model(network).eval()
    example = torch.zeros(BATCH, 3, clip.frames, clip.size, clip.size)
    program = torch.export.export(
        model if network.has_head else _Features(model),
        (example,),
        dynamic_shapes=({0: Dim("batch", min=1)},),
    )
    with path.open("wb") as file:
        torch.export.save(program, file, extra_files={f"{METADATA}.json": _text(network)})
    gives = "outputs" if network.has_head else f"{model.num_features} features"
    return (
        f"a program: normalised clips (B, 3, {clip.frames}, {clip.size}, {clip.size}) in, "
        f"{gives} out"
    )


_WRITERS: Mapping[Form, Callable[[Network, Path], str]] = {
    "safetensors": _safetensors,
    "torchvision": _torchvision,
    "kenshohara": _kenshohara,
    "torch-export": _program,
}


class _Features(nn.Module):
    """What a network without a head gives."""

    def __init__(self, model: VideoNet) -> None:
        super().__init__()
        self.model = model

    def forward(self, clips: Tensor) -> Tensor:
        """Return features (B, num_features)."""
        return self.model.features(clips)


def _model(network: Network) -> ModelConfig:
    return ModelConfig.model_validate(network.config["model"])


def _text(network: Network) -> str:
    return json.dumps(describe(network), sort_keys=True)


def _whole(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights in the usual order of memory; training keeps them channels last."""
    return {name: tensor.contiguous() for name, tensor in weights.items()}


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """Give a temporary name that becomes the path where all goes well."""
    aside = path.with_name(f"{path.name}.part")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
