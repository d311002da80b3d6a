"""The learning rate of every step. Arithmetic only."""

import math
from bisect import bisect_right

from rotnet.config import TrainConfig


def learning_rate(step: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """Return the rate of a step, counted from 0.

    It rises linearly over the warm-up, from one step's share and never from 0, and then follows the
    schedule: a step schedule multiplies it by gamma once a milestone's epochs are over, a cosine
    falls from the warm-up's end to 0 at the end of training.

    Example:
        With lr 0.1, milestones (60,) and gamma 0.1, epochs 0 to 59 learn at 0.1 and those from 60
        on at 0.01.
    """
    warmup = round(config.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return config.lr * (step + 1) / warmup
    if config.schedule == "step":
        return config.lr * config.gamma ** bisect_right(config.milestones, step // steps_per_epoch)
    if config.schedule == "cosine":
        total = config.epochs * steps_per_epoch
        return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
    return config.lr


def steps_in_epoch(config: TrainConfig, num_videos: int) -> int:
    """Return the steps of an epoch: as configured, else enough to see every video once."""
    return config.steps_per_epoch or math.ceil(num_videos / config.batch_size)
