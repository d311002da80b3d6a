"""Fusion: the scores of several networks become one."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rotnet.config import FusionConfig
from rotnet.errors import DataError
from rotnet.evaluation.metrics import metrics
from rotnet.evaluation.scores import Scores


def fuse(config: FusionConfig, members: Mapping[str, Path], folder: Path) -> dict[str, float]:
    """Fuse the scores of several networks into <folder>/scores.npz, and return its metrics.

    Args:
        config: the rule.
        members: name -> folder of an evaluation, at least two.
        folder: gets scores.npz.

    Returns:
        See `rotnet.evaluation.metrics.metrics`.

    Raises:
        DataError: if there are fewer than two members, if they did not score the same videos, or
            if `folder` is one of them.
    """
    if folder.resolve() in {path.resolve() for path in members.values()}:
        raise DataError(f"{folder} holds scores that are to be fused: choose another folder")
    rules = {"mean_softmax": mean_softmax}
    fused = rules[config.fuse.rule]({name: Scores.load(path) for name, path in members.items()})
    fused.save(folder)
    return metrics(fused)


def mean_softmax(members: Mapping[str, Scores]) -> Scores:
    """Return the mean of the members' probabilities.

    Raises:
        DataError: if there are fewer than two members, or they did not score the same videos.
    """
    if len(members) < 2:
        raise DataError(
            f"a fusion needs at least 2 members, got {len(members)}: {', '.join(members)}"
        )
    (first_name, first), *rest = members.items()
    for name, scores in rest:
        if (scores.videos, scores.classes) != (first.videos, first.classes):
            raise DataError(
                f"{first_name} and {name} did not score the same videos: {len(first.videos)} and "
                f"{len(scores.videos)}, {len({*first.videos} & {*scores.videos})} in common"
            )
        if not np.array_equal(scores.labels, first.labels):
            raise DataError(f"{first_name} and {name} give the same videos other labels")
    return Scores(
        videos=first.videos,
        classes=first.classes,
        labels=first.labels,
        probabilities=np.mean([scores.probabilities for scores in members.values()], axis=0),
    )
