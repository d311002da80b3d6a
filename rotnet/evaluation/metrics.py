"""Figures of scores. A video is right if its most probable class is its own."""

import numpy as np
from numpy.typing import NDArray

from rotnet.evaluation.scores import Scores


def metrics(scores: Scores) -> dict[str, float]:
    """Return accuracy, mean_class_accuracy, chance, videos, and more where it has a meaning.

    All but `videos`, a count, are shares in [0, 1]; mean_class_accuracy is over the classes that
    occur. `chance` is the accuracy of guessing evenly, 1/K. Beyond 5 classes there is
    top5_accuracy; where clips were scored, there is clip_accuracy: the share of single clips (each
    crop is one) that are right by themselves.
    """
    order = np.argsort(-scores.probabilities, axis=1, kind="stable")
    right = order[:, 0] == scores.labels
    found = {
        "accuracy": float(right.mean()),
        "mean_class_accuracy": float(
            np.mean([right[scores.labels == k].mean() for k in np.unique(scores.labels)])
        ),
        "chance": 1.0 / len(scores.classes),
        "videos": float(len(scores.videos)),
    }
    if len(scores.classes) > 5:
        found["top5_accuracy"] = float((order[:, :5] == scores.labels[:, None]).any(axis=1).mean())
    if scores.clips is not None and scores.clips_right is not None:
        found["clip_accuracy"] = float(scores.clips_right.sum() / scores.clips.sum())
    return found


def confusion(scores: Scores) -> NDArray[np.int64]:
    """Return how many videos of class i were taken for class j, (K, K) at [i, j]."""
    counts = np.zeros((len(scores.classes),) * 2, dtype=np.int64)
    np.add.at(counts, (scores.labels, scores.probabilities.argmax(axis=1)), 1)
    return counts
