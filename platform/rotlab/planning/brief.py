"""Settings in brief: of a stage that does in a moment what a longer one does. Values only.

What says how long, how fast or by which chance a network learns, and from how many videos, is made
equal: stages that differ in nothing else take the same path through the code, and the same memory.
"""

from typing import TypeVar

from rotnet.config import DataConfig, FinetuneConfig, FrozenConfig, PretrainConfig, TrainConfig

EPOCHS, STEPS = 2, 2  # of a training, and of each of its epochs
RATE = 1e-4  # at which nothing diverges in so few steps

TrainingT = TypeVar("TrainingT", bound=TrainConfig)
FrozenT = TypeVar("FrozenT", bound=FrozenConfig)
ConfigT = TypeVar("ConfigT")


def brief_pretraining(config: PretrainConfig) -> PretrainConfig:
    """Return a pretraining's settings in brief."""
    training = _brief(config.pretrain)
    return config.model_copy(update={"pretrain": training, "data": DataConfig(), "seed": 0})


def brief_finetuning(config: FinetuneConfig) -> FinetuneConfig:
    """Return a fine-tuning's settings in brief."""
    training = _brief(config.finetune).model_copy(update={"shots": None})
    return config.model_copy(update={"finetune": training, "seed": 0})


def brief_measuring(config: FrozenT) -> FrozenT:
    """Return a frozen network's settings in brief; a few videos are measured in a moment."""
    return config.model_copy(update={"seed": 0})


def brief_as_it_is(config: ConfigT) -> ConfigT:
    """Return settings of work that is brief where there are a few videos."""
    return config


def _brief(training: TrainingT) -> TrainingT:
    """A nesterov momentum and a clipped gradient stay so: they are paths of their own.

    Changes on the way are none: they are other numbers in the same steps.
    """
    return training.model_copy(
        update={
            "epochs": EPOCHS,
            "steps_per_epoch": STEPS,
            "lr": RATE,
            "momentum": 0.9,
            "weight_decay": 0.0,
            "milestones": (),
            "gamma": 0.1,
            "changes": (),
            "warmup_epochs": 0.0,
            "clip_gradient": None if training.clip_gradient is None else 1.0,
        }
    )
