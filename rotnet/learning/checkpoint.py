"""Checkpoints and networks on disk: written whole or not at all, never run as code."""

import os
import platform
import struct
import sys
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any, cast
from zipfile import BadZipFile, ZipFile

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from rotnet.config import ModelConfig
from rotnet.errors import CheckpointError
from rotnet.models.net import HEAD, VideoNet, build

CHECKPOINT, NETWORK = "checkpoint.pt", "network.pt"
CONVERTED = "converted"  # the kind of a network that was made of others' weights
FORMAT = 1
_UNREADABLE = (  # what damage makes of reading
    BadZipFile,
    UnpicklingError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Network:
    """A trained network as saved: what it is, on what it was trained, and its weights.

    Args:
        kind: "pretrain", "finetune", or "converted" for others' weights.
        config: the stage's settings, as plain values; of a converted one, modality, clip, views
            and model.
        classes: names of its outputs, in order; none where it has no head.
        data: fingerprint of the data set it was trained on; None where that is not known.
        split: of that set, whose training part it saw; None where it saw all of it.
        weights: state dict; a converted network may lack the head, fc1 and fc2.
        origin: of a converted one, whose the weights are.
    """

    kind: str
    config: Mapping[str, Any]
    classes: tuple[str, ...]
    data: str | None
    split: int | None
    weights: Mapping[str, Tensor]
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_head(self) -> bool:
        """Whether it can name something, and not only give features."""
        return f"{HEAD[-1]}.weight" in self.weights


def save_network(network: Network, folder: Path) -> Path:
    """Write a network to <folder>/network.pt and return the path."""
    path = folder / NETWORK
    write(
        path,
        {
            "kind": network.kind,
            "config": dict(network.config),
            "classes": list(network.classes),
            "data": network.data,
            "split": network.split,
            "weights": dict(network.weights),
            **({"origin": dict(network.origin)} if network.origin else {}),
        },
    )
    return path


def load_network(folder: Path) -> Network:
    """Return the network in a stage's folder.

    Raises:
        CheckpointError: if there is none, or it cannot be read.
    """
    found = read(folder / NETWORK, ("kind", "config", "classes", "data", "split", "weights"))
    return Network(
        kind=found["kind"],
        config=found["config"],
        classes=tuple(found["classes"]),
        data=found["data"],
        split=found["split"],
        weights=found["weights"],
        origin=found.get("origin", {}),
    )


def make_model(network: Network) -> VideoNet:
    """Return a saved network as a module, on the CPU; a head that it lacks has one random output.

    Raises:
        CheckpointError: if its settings are not known here, or its weights do not fit them; then
            every mismatch is listed.
    """
    try:
        config = ModelConfig.model_validate(network.config.get("model"))
    except ValidationError as error:
        raise CheckpointError(
            f"its settings of the model are not known here ({error.errors()[0]['msg']}); update "
            "rotnet, or install the package that its backbone is from"
        ) from None
    outputs = network.weights["fc2.weight"].shape[0] if network.has_head else 1
    model = build(config, outputs, seed=0)
    load_weights(model, network.weights, without=() if network.has_head else HEAD)
    return model


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain values under a temporary name, then rename; versions are added.

    Equal content makes equal files.

    Raises:
        OSError: if it cannot be written, as on a full disk.
    """
    aside = path.with_name(path.name + ".part")
    whole = _own({"format": FORMAT, "versions": versions(), **content})
    with aside.open("wb") as file:
        sink = _Sink(file)
        try:
            torch.save(whole, cast(IO[bytes], sink))
        except RuntimeError as error:  # torch's own word for whatever a file refuses
            raise sink.refusal or error from error
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def read(path: Path, names: Collection[str] = ()) -> dict[str, Any]:
    """Return what `write` wrote, on the CPU.

    Args:
        path: of the file.
        names: what it must hold.

    Raises:
        CheckpointError: if the file is missing, damaged, not ours, of a newer format, or holds
            something else.
    """
    try:
        with ZipFile(path) as archive:  # torch.load passes over the checksums
            if damaged := archive.testzip():
                raise BadZipFile(f"{damaged} is damaged")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(f"{path}: no such checkpoint") from None
    except _UNREADABLE as error:
        first_line = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path}: not a readable checkpoint ({first_line}); remove it or restore a whole one"
        ) from error
    if not isinstance(content, dict) or "format" not in content:
        raise CheckpointError(f"{path}: not a checkpoint of this project")
    if content["format"] > FORMAT:
        raise CheckpointError(
            f"{path}: has format {content['format']}, newer than the {FORMAT} known here; "
            "update rotnet"
        )
    if lacking := [name for name in names if name not in content]:
        raise CheckpointError(f"{path}: another kind of checkpoint: lacks {', '.join(lacking)}")
    return content


def load_weights(
    model: nn.Module, weights: Mapping[str, Tensor], *, without: tuple[str, ...] = ()
) -> list[str]:
    """Copy weights into a network by name, and return the names left out on purpose.

    Args:
        model: takes the weights.
        weights: state dict of the same network.
        without: modules that keep what they have, on both sides, such as the head.

    Raises:
        CheckpointError: if any other name is missing, unexpected or of another shape; it lists them
            all.
    """
    own = model.state_dict()
    skipped = {name for name in {*own, *weights} if name.split(".")[0] in without}
    missing = sorted(own.keys() - weights.keys() - skipped)
    unexpected = sorted(weights.keys() - own.keys() - skipped)
    misshapen = [
        f"{name} is {tuple(weights[name].shape)}, the network has {tuple(own[name].shape)}"
        for name in own
        if name in weights and name not in skipped and weights[name].shape != own[name].shape
    ]
    if missing or unexpected or misshapen:
        parts = [
            f"{len(found)} {what}: {', '.join(found)}"
            for what, found in (
                ("missing", missing),
                ("unexpected", unexpected),
                ("of another shape", misshapen),
            )
            if found
        ]
        raise CheckpointError("the weights do not fit the network; " + "; ".join(parts))
    model.load_state_dict(
        {name: weights[name] for name in own if name not in skipped}, strict=False
    )
    return sorted(skipped & weights.keys())


def versions() -> dict[str, str]:
    """Return the versions that can move a result: Python, rotnet's distribution, torch, av."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("rotlab", "torch", "av", "numpy")},
    }


class _Sink:
    """Writes to a file, and remembers why that refused."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.refusal: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write some bytes."""
        try:
            return self._file.write(data)
        except OSError as error:
            self.refusal = error
            raise

    def flush(self) -> None:
        """Do nothing: who opened the file flushes it."""


def _own(value: Any) -> Any:  # noqa: ANN401  (whatever a checkpoint holds)
    """Return containers anew, with equal strings one object.

    Pickle writes a string that it has met before as a reference, and goes by what is the same
    object: files would hang on where their strings came from.
    """
    match value:
        case str():
            return sys.intern(str(value))  # of a subclass, what it says
        case dict():
            return {_own(name): _own(each) for name, each in value.items()}
        case list():
            return [_own(each) for each in value]
        case tuple():
            return tuple(_own(each) for each in value)
    return value
