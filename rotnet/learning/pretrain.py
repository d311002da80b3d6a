"""Pretraining: a network learns which rotation was applied to a clip."""

from pathlib import Path

import torch
from torch import Tensor

from rotnet.config import PretrainConfig
from rotnet.data.loader import Batch
from rotnet.data.manifest import VideoSet
from rotnet.learning.course import Course, follow
from rotnet.learning.device import find_device
from rotnet.learning.watch import Watch
from rotnet.models.net import build
from rotnet.views.modality import as_input
from rotnet.views.rotation import random_labels, rotate_all


def pretrain(
    config: PretrainConfig, videos: VideoSet, folder: Path, watch: Watch
) -> dict[str, float]:
    """Pretrain a network, judge it on held-out videos, and leave it in <folder>/network.pt.

    A step shows `batch_size` clips in every rotation of the set. The pretext is judged per
    rotation, and by the true one where the labels to learn are random. Called again with the same
    folder, it continues from the last checkpoint.

    Args:
        config: all settings.
        videos: to learn from; their labels are not looked at.
        folder: gets checkpoint.pt while it runs, network.pt and history.json at the end.
        watch: is told of progress, and may stop it.

    Returns:
        See `rotnet.learning.course.follow`; the names of val_accuracy_<name> are degrees.

    Raises:
        UserError: if the rotation set cannot be trained yet, or no video is usable.
        Stopped: if the watch wished so.
    """
    device, angles, views = find_device(), config.pretext.angles, config.views
    model = build(config.model, len(angles), config.seed)
    model.to(device).to(memory_format=torch.channels_last_3d)

    def rotations(batch: Batch) -> tuple[Tensor, Tensor]:
        clips = as_input(batch.clips.to(device), config.modality, mean=views.mean, std=views.std)
        return rotate_all(clips, angles)

    def rotations_at_random(batch: Batch) -> tuple[Tensor, Tensor]:
        labels = random_labels(batch.videos, len(angles), config.seed)
        return rotations(batch)[0], labels.to(device)

    names = tuple(str(angle) for angle in angles)
    course = Course(
        kind="pretrain",
        config=config,
        training=config.pretrain,
        model=model,
        classes=names,
        learn=rotations if config.pretext.labels == "rotation" else rotations_at_random,
        test=rotations,
        copies=len(angles),
        names=names,
    )
    return follow(course, videos, folder, watch)
