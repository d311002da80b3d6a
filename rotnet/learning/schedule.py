"""The learning rate of every step, and what else of SGD changes on the way. Arithmetic only."""

import math
from bisect import bisect_right

from rotnet.config import TrainConfig


def learning_rate(step: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """Return the rate of a step, counted from 0.

    It rises linearly over the warm-up, from one step's share and never from 0, and then follows the
    schedule: a step schedule multiplies it by gamma once a milestone's epochs are over, a cosine
    falls from the warm-up's end to 0 at the end of training. From an epoch after which `changes`
    has another base rate, all of that is of the other.

    Example:
        With lr 0.1, milestones (60,) and gamma 0.1, epochs 0 to 59 learn at 0.1 and those from 60
        on at 0.01.
    """
    lr = in_force("lr", step // steps_per_epoch, config)
    warmup = round(config.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return lr * (step + 1) / warmup
    if config.schedule == "step":
        return lr * config.gamma ** bisect_right(config.milestones, step // steps_per_epoch)
    if config.schedule == "cosine":
        total = config.epochs * steps_per_epoch
        return lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
    return lr


def in_force(name: str, epoch: int, config: TrainConfig) -> float:
    """Return what a setting that may change on the way is in an epoch, counted from 0.

    Args:
        name: "lr", "momentum" or "weight_decay".
        epoch: which.
        config: of the training.

    Example:
        With lr 0.1 and changes ({after: 5, lr: 0.02},), lr is 0.1 in epoch 4 and 0.02 in epoch 5.
    """
    found = getattr(config, name)
    for change in config.changes:
        changed = getattr(change, name)
        if change.after <= epoch and changed is not None:
            found = changed
    return found


def steps_in_epoch(config: TrainConfig, num_videos: int) -> int:
    """Return the steps of an epoch: as configured, else enough to see every video once."""
    return config.steps_per_epoch or math.ceil(num_videos / config.batch_size)
