"""How many videos fill the largest batches of a stage, so that its memory can be measured on them.

A training's batches are full whatever the number, for its videos come again and again; those of a
scoring, and of the judging of videos that are held out of a training, only where there are enough.
"""

import math

from rotnet.config import FinetuneConfig, FrozenConfig, PretrainConfig, ScoreConfig

JUDGED = 32  # views, that a training's held-out videos are judged by together
_FEWEST = 8  # of which some can be held out


def fills_pretraining(config: PretrainConfig) -> int:
    """Return how many videos a pretraining is to be given."""
    return _with_held_out(config.pretrain.val_fraction, config.runtime.eval_batch)


def fills_finetuning(config: FinetuneConfig) -> int:
    """Return how many videos a fine-tuning is to be given."""
    return _with_held_out(config.finetune.val_fraction, config.runtime.eval_batch)


def fills_scoring(config: ScoreConfig | FrozenConfig) -> int:
    """Return how many videos fill a scoring's batch if each gives one clip."""
    return config.runtime.eval_batch


def _with_held_out(fraction: float, eval_batch: int) -> int:
    """So many that those held out of them fill a batch, by one clip each."""
    return math.ceil(max(JUDGED, eval_batch) / fraction) if fraction else _FEWEST
