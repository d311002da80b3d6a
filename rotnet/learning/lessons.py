"""What a stage learns from: which of its videos, and what a batch of them shows and asks."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from rotnet.config import FinetuneConfig, PretrainConfig
from rotnet.data.holdout import hold_out
from rotnet.data.loader import Batch
from rotnet.data.subsets import few_shot, fraction_of
from rotnet.data.transfer import send
from rotnet.data.video import Video
from rotnet.pretexts.pretext import Pretext, Show
from rotnet.views.augment import augment
from rotnet.views.chance import generator
from rotnet.views.modality import as_input
from rotnet.views.rotation import random_labels

Parts = tuple[tuple[Video, ...], tuple[Video, ...]]


def pretraining_videos(config: PretrainConfig, videos: Sequence[Video]) -> Parts:
    """Return the videos that a pretraining learns from, and those it is judged on.

    Less to learn from (`data.pretrain_fraction`) leaves those it is judged on as they are.
    """
    learnt, held_out = hold_out(videos, config.pretrain.val_fraction, config.seed)
    return fraction_of(learnt, config.data.pretrain_fraction, config.seed), held_out


def finetuning_videos(config: FinetuneConfig, videos: Sequence[Video]) -> Parts:
    """Return the videos that a fine-tuning learns from, and those it is judged on.

    With `final: train+val` none are held out.
    """
    tuning = config.finetune
    fraction = tuning.val_fraction if tuning.final == "train" else 0.0
    learnt, held_out = hold_out(videos, fraction, config.seed)
    if tuning.shots is not None:
        learnt = few_shot(learnt, tuning.shots, config.seed)
    return learnt, held_out


def pretext_lesson(config: PretrainConfig, pretext: Pretext, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the views (N, 3, T, H, W) of a training batch and what is to be said of them, (N,).

    Args:
        config: all settings.
        pretext: what they ask for.
        batch: on the device.
    """
    chance = generator(config.seed, "training", batch.number)
    views, targets = pretext.make(_augmented(batch, config, chance), _show(config), chance)
    if config.pretext.labels == "random":
        table = send(random_labels(batch.videos, pretext.num_outputs, config.seed), targets.device)
        targets = table.gather(1, targets.view(len(batch.videos), -1)).flatten()
    return views, targets


def pretext_question(
    config: PretrainConfig, pretext: Pretext, batch: Batch
) -> tuple[Tensor, Tensor]:
    """Return the views of a batch to be judged on: nothing augmented, and true targets."""
    return pretext.make(batch, _show(config), generator(config.seed, "validation", batch.number))


def action_lesson(config: FinetuneConfig, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the clips (B, 3, T, H, W) of a training batch and their classes (B,)."""
    chance = generator(config.seed, "training", batch.number)
    return action_question(config, _augmented(batch, config, chance))


def action_question(config: FinetuneConfig, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the clips of a batch to be judged on, and their classes: nothing augmented."""
    return _show(config)(batch.clips, batch.seams), batch.labels


def _augmented(
    batch: Batch, config: PretrainConfig | FinetuneConfig, chance: torch.Generator
) -> Batch:
    clips = augment(batch.clips, config.views, chance, batch.first, batch.whole)
    return replace(batch, clips=clips)


def _show(config: PretrainConfig | FinetuneConfig) -> Show:
    return lambda clips, seams: as_input(clips, config.modality, config.views, seams)
