"""Figures of scores. A video is right if its most probable class is its own."""

import numpy as np

from rotnet.evaluation.scores import Scores


def metrics(scores: Scores) -> dict[str, float]:
    """Return accuracy, mean_class_accuracy, chance, videos, and top5_accuracy beyond 5 classes.

    All but `videos`, a count, are shares in [0, 1]; mean_class_accuracy is over the classes that
    occur. `chance` is the accuracy of guessing evenly, 1/K.
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
    return found
