"""Probes: logistic regressions on features, with what is to be chosen chosen on held-out videos.

Arrays and tensors only. What is chosen here sees the training part alone: there is no argument
through which a test video could come in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy

from rotnet.evaluation.logistic import Logistic, fit_logistic


@dataclass(frozen=True)
class Trial:
    """A probe fitted on the kept videos, judged on the held-out ones.

    Args:
        name: of the features.
        l2: weight decay.
        val_accuracy: share of held-out videos that are right.
        val_loss: their mean cross-entropy.
        fit: the probe.
    """

    name: str
    l2: float
    val_accuracy: float
    val_loss: float
    fit: Logistic


def try_probes(
    features: Mapping[str, Tensor],
    labels: Tensor,
    held_out: Tensor,
    num_classes: int,
    decays: Sequence[float],
    pause: Callable[[], None],
) -> list[Trial]:
    """Fit a probe on every sort of features with every weight decay, and judge it.

    Args:
        features: of the training part's N videos, by name, each (N, D).
        labels: (N,) int64.
        held_out: (N,) bool, the videos that judge and are not fitted on.
        num_classes: K.
        decays: weight decays to choose from.
        pause: called before every fit; may raise to stop.

    Returns:
        Trials: those of a name side by side, the strongest decay first.
    """
    trials = []
    for name, given in features.items():
        start = None
        for l2 in sorted(set(decays), reverse=True):
            pause()
            start = fit_logistic(given[~held_out], labels[~held_out], num_classes, l2, start)
            logits, truth = start.logits(given[held_out]), labels[held_out]
            trials.append(
                Trial(
                    name=name,
                    l2=l2,
                    val_accuracy=float((logits.argmax(1) == truth).double().mean()),
                    val_loss=float(cross_entropy(logits, truth)),
                    fit=start,
                )
            )
    return trials


def best(trials: Sequence[Trial]) -> Trial:
    """Return the trial of the highest val_accuracy; of equals, that of the lowest val_loss."""
    return max(trials, key=lambda trial: (trial.val_accuracy, -trial.val_loss))


def best_of_each(trials: Sequence[Trial]) -> dict[str, Trial]:
    """Return the best trial of each sort of features, in the order in which they come."""
    names = dict.fromkeys(trial.name for trial in trials)
    return {name: best([trial for trial in trials if trial.name == name]) for name in names}
