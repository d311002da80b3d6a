"""Pretraining: a network learns which rotation was applied to a clip."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from rotnet.config import PretrainConfig, identity
from rotnet.data.holdout import hold_out
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.manifest import VideoSet
from rotnet.errors import UserError
from rotnet.learning.checkpoint import Network, save_network
from rotnet.learning.device import find_device
from rotnet.learning.history import final_metrics, write_history
from rotnet.learning.judge import judge
from rotnet.learning.loop import Task, train
from rotnet.learning.schedule import steps_in_epoch
from rotnet.learning.watch import Watch
from rotnet.models.resnet3d import build
from rotnet.views.modality import as_input
from rotnet.views.rotation import random_labels, rotate_all


def pretrain(
    config: PretrainConfig, videos: VideoSet, folder: Path, watch: Watch
) -> dict[str, float]:
    """Pretrain a network, judge it on held-out videos, and leave it in <folder>/network.pt.

    A step shows `batch_size` clips in every rotation of the set. The pretext is judged in eval
    mode, on the centre clip of every held-out video in every rotation, after each epoch.
    Called again with the same folder, it continues from the last checkpoint.

    Args:
        config: all settings.
        videos: to learn from; their labels are not looked at.
        folder: gets checkpoint.pt while it runs, network.pt and history.json at the end.
        watch: is told of progress, and may stop it.

    Returns:
        steps, train_loss and train_accuracy (of the last report); val_loss, val_accuracy and
        val_accuracy_<degrees> where videos are held out; counts of videos: videos, val_videos,
        short_videos, dropped_videos, upscaled_videos.

    Raises:
        UserError: if the rotation set cannot be trained yet, or no video is usable.
        Stopped: if the watch wished so.
    """
    if problem := config.pretext.unsupported():
        raise UserError(problem)
    device, angles = find_device(), config.pretext.angles
    learnt, held_out = hold_out(videos.videos, config.pretrain.val_fraction, config.seed)
    load = partial(
        ClipLoader, clip=config.clip, modality=config.modality, workers=config.runtime.workers
    )
    loader = load(replace(videos, videos=learnt))
    model = build(config.model, len(angles), config.seed)
    model.to(device).to(memory_format=torch.channels_last_3d)

    def rotations(batch: Batch) -> tuple[Tensor, Tensor]:
        clips = as_input(
            batch.clips.to(device), config.modality, mean=config.views.mean, std=config.views.std
        )
        return rotate_all(clips, angles)

    def rotations_to_learn(batch: Batch) -> tuple[Tensor, Tensor]:
        copies, labels = rotations(batch)
        if config.pretext.labels == "random":
            labels = random_labels(batch.videos, len(angles), config.seed).to(device)
        return copies, labels

    def batches(step: int) -> Iterator[Batch]:
        return loader.training(
            batch_size=config.pretrain.batch_size,
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
            rotations,
            config=config.pretrain,
            batch_size=max(1, config.runtime.eval_batch // len(angles)),
            names=[str(angle) for angle in angles],
        )
    history = train(
        Task(model, batches, rotations_to_learn, validate),
        config.pretrain,
        steps_per_epoch=steps_in_epoch(config.pretrain, loader.fit.used),
        identity={**identity(config), "data": [videos.fingerprint, videos.role, videos.split]},
        folder=folder,
        checkpoint_s=config.runtime.checkpoint_s,
        watch=watch,
    )
    save_network(
        Network(
            kind="pretrain",
            config=config.model_dump(mode="json"),
            classes=tuple(str(angle) for angle in angles),
            data=videos.fingerprint,
            weights=model.state_dict(),
        ),
        folder,
    )
    write_history(history, folder)
    return final_metrics(history, loader.fit, len(held_out))
