"""Fine-tuning: a network, pretrained or not, learns to name the action."""

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from rotnet.config import FinetuneConfig, PretrainConfig
from rotnet.data.loader import Batch
from rotnet.data.manifest import VideoSet
from rotnet.errors import CheckpointError, UserError
from rotnet.learning.checkpoint import NETWORK, load_network, load_weights
from rotnet.learning.course import Course, follow
from rotnet.learning.device import find_device
from rotnet.learning.watch import Watch
from rotnet.models.net import HEAD, VideoNet, build
from rotnet.models.resnet3d import last_map
from rotnet.views.modality import as_input


def finetune(
    config: FinetuneConfig, videos: VideoSet, init: Path | None, folder: Path, watch: Watch
) -> dict[str, float]:
    """Train a whole network to name the action, and leave it in <folder>/network.pt.

    Called again with the same folder, it continues from the last checkpoint.

    Args:
        config: all settings.
        videos: labelled ones to learn from.
        init: folder of the pretraining to start from, whose head is dropped; None starts from
            random weights.
        folder: gets checkpoint.pt while it runs, network.pt and history.json at the end.
        watch: is told of progress, and may stop it.

    Returns:
        See `rotnet.learning.course.follow`.

    Raises:
        CheckpointError: if the pretrained network does not fit; every mismatch is listed.
        DataError: if no video is usable.
        UserError: if a batch is too small for batch normalisation.
        Stopped: if the watch wished so.
    """
    size = config.clip.size
    if config.finetune.batch_size == 1 and last_map(config.clip.frames, size) == (1, 1):
        raise UserError(
            "finetune.batch_size must be at least 2 here, got 1: the last stage leaves batch "
            f"normalisation a single value of a clip of {config.clip.frames} frames, {size} pixels"
        )
    device, views = find_device(), config.views
    model = build(config.model, len(videos.classes), config.seed)
    if init is not None:
        start_from(model, init, config)
    model.to(device).to(memory_format=torch.channels_last_3d)

    def actions(batch: Batch) -> tuple[Tensor, Tensor]:
        clips = as_input(batch.clips.to(device), config.modality, mean=views.mean, std=views.std)
        return clips, batch.labels.to(device)

    course = Course(
        kind="finetune",
        config=config,
        training=config.finetune,
        model=model,
        classes=videos.classes,
        learn=actions,
        test=actions,
    )
    return follow(course, videos, folder, watch, init=_digest(init))


def start_from(model: VideoNet, init: Path, config: FinetuneConfig) -> None:
    """Give a network the weights of a pretraining, all but the head.

    Raises:
        CheckpointError: if it is no pretraining, if modality or normalisation differ, or if any
            weight outside the head is missing, unexpected or of another shape; all are listed.
    """
    network = load_network(init)
    if network.kind != "pretrain":
        raise CheckpointError(f"{init}: holds a {network.kind}, where a pretraining is needed")
    pretrained = PretrainConfig.model_validate(network.config)
    for name, theirs, ours in (
        ("modality", pretrained.modality, config.modality),
        ("views.mean", pretrained.views.mean, config.views.mean),
        ("views.std", pretrained.views.std, config.views.std),
    ):
        if theirs != ours:
            raise CheckpointError(
                f"{init}: was pretrained with {name} {theirs}, but is to be fine-tuned with "
                f"{ours}; make them equal"
            )
    try:
        load_weights(model, network.weights, without=HEAD)
    except CheckpointError as error:
        raise CheckpointError(f"{init}: {error}") from None


def _digest(init: Path | None) -> str | None:
    """Return the SHA-256 of the network that is started from."""
    if init is None:
        return None
    return hashlib.sha256((init / NETWORK).read_bytes()).hexdigest()
