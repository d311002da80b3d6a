"""Fine-tuning: a network, pretrained or not, learns to name the action."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from rotnet.config import FinetuneConfig, identity
from rotnet.data.holdout import hold_out
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.manifest import VideoSet
from rotnet.errors import CheckpointError, UserError
from rotnet.learning.checkpoint import Network, load_network, load_weights, save_network
from rotnet.learning.device import find_device
from rotnet.learning.history import final_metrics, write_history
from rotnet.learning.judge import judge
from rotnet.learning.loop import Task, train
from rotnet.learning.schedule import steps_in_epoch
from rotnet.learning.watch import Watch
from rotnet.models.resnet3d import HEAD, ResNet3D, build, last_map
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
        steps, train_loss and train_accuracy (of the last report); val_loss and val_accuracy where
        videos are held out; counts of videos as in `pretrain`.

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
    device = find_device()
    learnt, held_out = hold_out(videos.videos, config.finetune.val_fraction, config.seed)
    load = partial(
        ClipLoader, clip=config.clip, modality=config.modality, workers=config.runtime.workers
    )
    loader = load(replace(videos, videos=learnt))
    model = build(config.model, len(videos.classes), config.seed)
    if init is not None:
        start_from(model, init, config)
    model.to(device).to(memory_format=torch.channels_last_3d)

    def actions(batch: Batch) -> tuple[Tensor, Tensor]:
        clips = as_input(
            batch.clips.to(device), config.modality, mean=config.views.mean, std=config.views.std
        )
        return clips, batch.labels.to(device)

    def batches(step: int) -> Iterator[Batch]:
        return loader.training(
            batch_size=config.finetune.batch_size,
            seed=config.seed,
            flip=config.views.flip,
            first=step,
        )

    validate = None
    if held_out:
        validate = partial(
            judge,
            model,
            load(replace(videos, videos=held_out)),
            actions,
            config=config.finetune,
            batch_size=config.runtime.eval_batch,
        )
    history = train(
        Task(model, batches, actions, validate),
        config.finetune,
        steps_per_epoch=steps_in_epoch(config.finetune, loader.fit.used),
        identity={
            **identity(config),
            "data": [videos.fingerprint, videos.role, videos.split],
            "init": init is not None,
        },
        folder=folder,
        checkpoint_s=config.runtime.checkpoint_s,
        watch=watch,
    )
    save_network(
        Network(
            kind="finetune",
            config=config.model_dump(mode="json"),
            classes=videos.classes,
            data=videos.fingerprint,
            weights=model.state_dict(),
        ),
        folder,
    )
    write_history(history, folder)
    return final_metrics(history, loader.fit, len(held_out))


def start_from(model: ResNet3D, init: Path, config: FinetuneConfig) -> None:
    """Give a network the weights of a pretraining, all but the head.

    Raises:
        CheckpointError: if it is no network of the same modality and normalisation, or if any
            weight outside the head is missing, unexpected or of another shape.
    """
    network = load_network(init)
    wanted = config.model_dump(mode="json")
    for section in ("modality", "model", "views"):
        if network.config[section] != wanted[section]:
            raise CheckpointError(
                f"{init}: was pretrained with {section} {network.config[section]}, "
                f"but is to be fine-tuned with {wanted[section]}; make them equal"
            )
    try:
        load_weights(model, network.weights, without=HEAD)
    except CheckpointError as error:
        raise CheckpointError(f"{init}: {error}") from None
