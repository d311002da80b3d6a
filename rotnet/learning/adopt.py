"""Weights of others become a network of this project, whole or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rotnet.config import PretrainConfig
from rotnet.errors import CheckpointError
from rotnet.learning.checkpoint import CONVERTED, Network, load_weights, make_model
from rotnet.models.net import HEAD, build

CLASSIFIERS = ("fc", *HEAD)  # torchvision's and kenshohara's, the released code's
SEEN = ("modality", "clip", "views", "model")  # the settings that a converted network has


@dataclass(frozen=True)
class Adopted:
    """A network made of others' weights, and what was done with each tensor.

    Args:
        network: kind "converted"; its settings are those of `SEEN`.
        loaded: names of the tensors in it.
        left_out: names of those that are not.
        counters: names of batch counters that the file lacks, which are 0.
    """

    network: Network
    loaded: tuple[str, ...]
    left_out: tuple[str, ...]
    counters: tuple[str, ...]


def adopt(
    tensors: Mapping[str, Tensor],
    config: PretrainConfig,
    *,
    head: bool = False,
    drop: Sequence[str] = (),
    origin: Mapping[str, str],
) -> Adopted:
    """Return the network of these settings with these weights, as 32-bit floats.

    Batch normalisation of PyTorch before 0.4.1 had no `num_batches_tracked`; where a file lacks
    them they are 0, and nothing depends on them here.

    Args:
        tensors: by the names that the network's own parameters and buffers have.
        config: what was trained; of it, `SEEN` is kept.
        head: keep fc1 and fc2; else the network has no head, as with a classifier of others.
        drop: modules that are left out, such as "queue" or "encoder_k".
        origin: whose the weights are, in words.

    Raises:
        CheckpointError: if any tensor is missing, unexpected or of another shape; it lists all.
    """
    out = (*drop, *(name for name in CLASSIFIERS if not (head and name in HEAD)))
    taken = {name: each for name, each in tensors.items() if not _below(name, out)}
    counters = tuple(
        counter
        for name in taken
        if name.endswith(".running_mean")
        and (counter := f"{name.removesuffix('running_mean')}num_batches_tracked") not in taken
    )
    weights = {**taken, **{name: torch.tensor(0) for name in counters}}
    outputs = _outputs(weights) if head else 1
    model = build(config.model, outputs, seed=0)
    load_weights(model, weights, without=() if head else HEAD)
    network = Network(
        kind=CONVERTED,
        config=config.model_dump(mode="json", include=set(SEEN)),
        classes=tuple(map(str, range(outputs))) if head else (),
        data=None,
        split=None,
        weights={name: model.state_dict()[name] for name in model.state_dict() if name in weights},
        origin=origin,
    )
    left_out = tuple(name for name in tensors if name not in taken)
    return Adopted(network, tuple(taken), left_out, counters)


def restore(metadata: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Network:
    """Return the network that an export of this project holds, as it was.

    Args:
        metadata: what `rotnet.learning.export.describe` gave.
        weights: by name.

    Raises:
        CheckpointError: if they do not belong together.
    """
    names = ("kind", "config", "classes", "data", "split", "origin")
    if lacking := [name for name in names if name not in metadata]:
        raise CheckpointError(f"its metadata lacks {', '.join(lacking)}")
    network = Network(**{name: metadata[name] for name in names}, weights=weights)
    make_model(network)
    return Network(**{**vars(network), "classes": tuple(network.classes)})


def _below(name: str, modules: Sequence[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _outputs(weights: Mapping[str, Tensor]) -> int:
    if "fc2.weight" not in weights or "fc1.weight" not in weights:
        raise CheckpointError("it has no head to keep: fc1 and fc2 are not both there")
    return weights["fc2.weight"].shape[0]
