"""Fusion: the scores of several networks become one."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rotnet.config import FusionConfig
from rotnet.errors import DataError
from rotnet.evaluation.blend import fit_weights
from rotnet.evaluation.outcome import leave
from rotnet.evaluation.scores import SCORES, VAL_SCORES, Scores
from rotnet.learning.table import write_table

WEIGHTS = "weights.csv"
Members = Mapping[str, Scores]


def fuse(
    config: FusionConfig,
    members: Mapping[str, Path],
    folder: Path,
    held_out: Mapping[str, Path] | None = None,
) -> dict[str, float]:
    """Fuse the scores of several networks, leave them in a folder, and return their metrics.

    Args:
        config: the rule.
        members: name -> folder of an evaluation, at least two; of whatever modality.
        folder: gets scores.npz, confusion.csv, classes.csv, and weights.csv of rule `fitted`.
        held_out: name of a member -> folder with val_scores.npz of a network like the member's,
            trained by the same settings but that it did not learn from the videos held out. A
            member without has its own val_scores.npz. Rule `fitted` reads them.

    Returns:
        See `rotnet.evaluation.metrics.metrics`.

    Raises:
        DataError: if there are fewer than two members, if they did not score the same videos, if
            one lacks what the rule needs, or if `folder` is one of them.
    """
    if folder.resolve() in {path.resolve() for path in members.values()}:
        raise DataError(f"{folder} holds scores that are to be fused: choose another folder")
    scores = {name: Scores.load(path) for name, path in members.items()}
    if config.fuse.rule == "fitted":
        check_members(scores)
        weights = fitted_weights(_validation({**members, **(held_out or {})}), scores)
        fused = weighted_softmax(scores, list(weights.values()))
        write_table(folder / WEIGHTS, ["member", "weight"], weights.items())
    else:
        rules: dict[str, Callable[[Members], Scores]] = {
            "mean_softmax": mean_softmax,
            "mean_logits": mean_logits,
        }
        fused = rules[config.fuse.rule](scores)
        (folder / WEIGHTS).unlink(missing_ok=True)
    return leave(fused, folder)


def mean_softmax(members: Members) -> Scores:
    """Return the mean of the members' probabilities.

    Raises:
        DataError: see `check_members`.
    """
    return weighted_softmax(members, [1 / len(members)] * len(members))


def mean_logits(members: Members) -> Scores:
    """Return the softmax of the mean of the members' logits.

    Raises:
        DataError: see `check_members`; or if a member has no logits.
    """
    first = check_members(members)
    found: list[NDArray[np.float64]] = []
    for name, scores in members.items():
        if scores.logits is None:
            raise DataError(
                f"{name} has no logits, which rule mean_logits needs: evaluate its network again, "
                "or use rule mean_softmax"
            )
        found.append(scores.logits)
    logits = np.mean(found, axis=0)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Scores(
        videos=first.videos,
        classes=first.classes,
        labels=first.labels,
        probabilities=powers / powers.sum(axis=1, keepdims=True),
        logits=logits,
    )


def weighted_softmax(members: Members, weights: list[float]) -> Scores:
    """Return a mean of the members' probabilities with weights that sum to 1, in their order.

    Raises:
        DataError: see `check_members`.
    """
    first = check_members(members)
    parts = [
        weight * scores.probabilities
        for weight, scores in zip(weights, members.values(), strict=True)
    ]
    return Scores(
        videos=first.videos,
        classes=first.classes,
        labels=first.labels,
        probabilities=np.sum(parts, axis=0),
    )


def fitted_weights(validation: Members, test: Members) -> dict[str, float]:
    """Return each member's weight: what is most likely on videos that none has learnt from.

    Members of other seeds hold out other videos; those that all have held out are used.

    Args:
        validation: each member's scores of its held-out videos.
        test: the scores that are to be fused; only their videos' names and classes are looked at.

    Raises:
        DataError: if no video is held out by all, one is also a test video, or members disagree on
            classes or labels.
    """
    common = set.intersection(*({*scores.videos} for scores in validation.values()))
    if not common:
        raise DataError(
            f"rule fitted: {' and '.join(validation)} held out no video in common; train them with "
            "one seed or a larger finetune.val_fraction, or use rule mean_softmax"
        )
    for name, scores in validation.items():
        if scores.classes != test[name].classes:
            raise DataError(f"rule fitted: {name} has validation scores of other classes")
        if common & {*test[name].videos}:
            raise DataError(f"rule fitted: {name} has validation scores of test videos")
    aligned = {name: _only(scores, common) for name, scores in validation.items()}
    labels = check_members(aligned).labels
    rows = np.arange(len(labels))
    truth = [scores.probabilities[rows, labels] for scores in aligned.values()]
    weights = fit_weights(np.stack(truth, axis=1)).tolist()
    return dict(zip(validation, weights, strict=True))


def check_members(members: Members) -> Scores:
    """Return the first member, whose videos, classes and labels all others share.

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
    return first


def _validation(members: Mapping[str, Path]) -> dict[str, Scores]:
    lacking = [name for name, path in members.items() if not (path / VAL_SCORES).exists()]
    if lacking:
        raise DataError(
            f"rule fitted needs {VAL_SCORES} beside {SCORES}; none in {', '.join(lacking)}: "
            "fine-tune with finetune.val_fraction above 0 and finetune.final 'train' and evaluate "
            "again, or give such networks by --held-out, or use rule mean_softmax"
        )
    return {name: Scores.load(path, VAL_SCORES) for name, path in members.items()}


def _only(scores: Scores, videos: set[str]) -> Scores:
    """Return the scores of some videos, sorted by name."""
    rows = sorted(
        (index for index, video in enumerate(scores.videos) if video in videos),
        key=lambda index: scores.videos[index],
    )
    return Scores(
        videos=tuple(scores.videos[index] for index in rows),
        classes=scores.classes,
        labels=scores.labels[rows],
        probabilities=scores.probabilities[rows],
    )
