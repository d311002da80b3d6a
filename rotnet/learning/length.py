"""How long a training is: which trainings are the beginning of longer ones. No torch here."""

from collections.abc import Mapping
from typing import Any

from rotnet.config import FinetuneConfig, PretrainConfig, TrainConfig, identity

_SECTIONS = ("pretrain", "finetune")
_RATES = ("epochs", "schedule", "milestones", "gamma")


def beginning(config: PretrainConfig | FinetuneConfig, epochs: int) -> dict[str, Any]:
    """Return what decides the first epochs of a training, as plain values.

    Two trainings on equal data for which these are equal are, up to there, the same one: they take
    the same steps at the same rates, report the same, and end those epochs in the same state.

    Args:
        config: all settings.
        epochs: how many; not more than it has.

    Example:
        With a milestone at 60, the first 50 epochs are those of a training without milestones, and
        so are the first 60. Those of a cosine, which falls over the whole length, are its own.
    """
    return _beginning(identity(config), epochs)


def undivided(config: PretrainConfig | FinetuneConfig) -> tuple[str, str] | None:
    """Return why no shorter training is the beginning of this one, and what would have some.

    None where shorter ones are, if they differ in nothing else.
    """
    section, training = _training(config)
    if training.schedule != "cosine":
        return None
    return f"{section}.schedule is cosine over the whole length", "step or constant"


def is_beginning(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> bool:
    """Say whether a training, at its end, is where another one is on its way.

    Args:
        earlier: its identity (`rotnet.config.identity`), with all else that counts.
        later: that of the other.
    """
    if earlier == later:
        return True
    for section in _SECTIONS:
        if section in earlier and section in later:
            epochs = earlier[section]["epochs"]
            is_shorter = epochs <= later[section]["epochs"]
            return is_shorter and _beginning(earlier, epochs) == _beginning(later, epochs)
    return False


def _beginning(work: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    (section,) = (name for name in _SECTIONS if name in work)
    training = dict(work[section])
    length, schedule, milestones, gamma = (training.pop(name) for name in _RATES)
    passed = [milestone for milestone in milestones if milestone < epochs]
    changed = [one for one in training.pop("changes", ()) if one["after"] < epochs]
    if changed:
        training["changes"] = changed
    training["rates"] = {
        "cosine": length if schedule == "cosine" else None,
        "milestones": passed,
        "gamma": gamma if passed else None,
    }
    return {**work, section: training}


def _training(config: PretrainConfig | FinetuneConfig) -> tuple[str, TrainConfig]:
    if isinstance(config, PretrainConfig):
        return "pretrain", config.pretrain
    return "finetune", config.finetune
