"""Tensors by name, out of the files in which other projects keep them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from rotnet.errors import CheckpointError
from rotnet.models.foreign.inert import Inert, is_module, load_inert, module_tensors

METADATA = "rotnet"  # of a safetensors file that this project wrote
# Where training scripts keep the weights among other things.
KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights")
PARALLEL = "module."  # what nn.DataParallel puts before each name


@dataclass(frozen=True)
class Found:
    """What a file holds.

    Args:
        tensors: by name, without the prefixes.
        where: the keys that led to them, and the prefixes that were taken away.
        pickled: whether the file is a pickle of a whole module.
        metadata: what this project wrote beside them; empty for a file of others.
    """

    tensors: Mapping[str, Tensor]
    where: tuple[str, ...] = ()
    pickled: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read_tensors(path: Path, *, key: str | None = None, prefix: str = "") -> Found:
    """Return the tensors of a safetensors file, or of one that torch.save wrote.

    No code of the file runs, be it a state dict or a pickled module.

    Args:
        path: of the file.
        key: of the weights in a file that has several; None: the one that is there.
        prefix: only names that begin so are taken, without it, such as "encoder.".

    Raises:
        CheckpointError: if it cannot be read, holds no weights, or several.
    """
    if path.is_dir():
        raise CheckpointError(f"{path}: is a folder; name the file of weights in it")
    found = _safetensors(path) if _is_safetensors(path) else _torch(path, key)
    tensors, where = dict(found.tensors), list(found.where)
    for each in (PARALLEL, prefix):
        inside = {name: tensors[name] for name in tensors if name.startswith(each)}
        if each and (each == prefix or len(inside) == len(tensors)):
            tensors = {name.removeprefix(each): tensor for name, tensor in inside.items()}
            where.append(f"{each}*")
    if not tensors:
        raise CheckpointError(f"{path}: no tensor's name begins with {prefix!r}")
    return Found(tensors, tuple(where), found.pickled, found.metadata)


def _is_safetensors(path: Path) -> bool:
    """Return whether a file begins as its format does: 8 bytes of length, then JSON."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".safetensors" or file.read(9)[8:] == b"{"
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None


def _safetensors(path: Path) -> Found:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Found(tensors, metadata=json.loads(metadata.get(METADATA, "{}")))
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file ({error})") from error


def _torch(path: Path, key: str | None) -> Found:
    try:
        return _dig(load_inert(path), path, key)
    except CheckpointError:
        raise
    except UnpicklingError as error:
        raise CheckpointError(
            f"{path}: refused: {_first_line(error)}; reading it could run code. Where it comes "
            "from, save the network's state_dict() with torch.save, and convert that"
        ) from error
    except Exception as error:  # of a damaged file, anything
        raise CheckpointError(
            f"{path}: not a readable file of weights ({_first_line(error)})"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _dig(content: object, path: Path, key: str | None) -> Found:
    """Return the one state dict or module in what a file holds."""
    if isinstance(content, Inert) and is_module(content):
        return Found(dict(module_tensors(content)), pickled=True)
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(f"{path}: holds no weights but {type(content).__name__}")
    if {"format", "kind", "weights"} <= content.keys():
        raise CheckpointError(f"{path}: is a network of rotnet already; use its folder as it is")
    if all(isinstance(value, Tensor) for value in content.values()):
        return Found({str(name): tensor for name, tensor in content.items()})
    keys = [key] if key is not None else [each for each in KEYS if each in content]
    if len(keys) != 1 or keys[0] not in content:
        held = ", ".join(sorted(map(str, content)))
        problem = f"has no key {key!r}" if key is not None else "is not clear which its weights are"
        raise CheckpointError(f"{path}: {problem}; name one with --key (it holds {held})")
    inner = _dig(content[keys[0]], path, None)
    return Found(inner.tensors, (keys[0], *inner.where), inner.pickled)
