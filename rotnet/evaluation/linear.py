"""The linear probe: what a frozen network's stages know of the actions, read by a linear rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rotnet.config import ProbeConfig
from rotnet.data.holdout import hold_out
from rotnet.data.video import VideoSet
from rotnet.errors import CheckpointError, UserError
from rotnet.evaluation.features import stage_vectors, vector_name, video_features
from rotnet.evaluation.frozen import check_pair, frozen_network
from rotnet.evaluation.inputs import labels_of, network_input, scoring_loader
from rotnet.evaluation.logistic import Logistic, fit_logistic
from rotnet.evaluation.outcome import leave
from rotnet.evaluation.probes import Trial, best, best_of_each, try_probes
from rotnet.evaluation.scores import VAL_SCORES, Scores
from rotnet.learning.device import find_device
from rotnet.learning.table import write_table
from rotnet.learning.watch import Stopped, Watch
from rotnet.models.net import VideoNet

PROBES = "probes.csv"
Features = Mapping[str, Tensor]


def linear(
    config: ProbeConfig,
    init: Path | None,
    train: VideoSet,
    test: VideoSet,
    folder: Path,
    watch: Watch,
    look: Callable[[VideoNet], None] | None = None,
) -> dict[str, float]:
    """Fit logistic regressions on every stage's features, and score the test videos with them.

    The features of a video are a stage's maps averaged over time, over the cells of a grid and over
    the video's evenly spread clips; each is shifted and divided so that the videos that are fitted
    on have mean 0 and deviation 1. For each stage and grid the weight decay is chosen by the
    accuracy on videos that are held out of the training part by whole groups; then the probe is
    fitted again on all of it, and scores the test videos once. The stage and grid that speak for
    the network are chosen on the held-out videos too.

    Args:
        config: clip, views, model, and how to probe.
        init: folder of a saved network; None is a random one: see
            `rotnet.evaluation.frozen.frozen_network`.
        train: labelled videos to fit on.
        test: those of the same split to score.
        folder: gets scores.npz, confusion.csv and classes.csv of the chosen stage and grid, its
            val_scores.npz, and probes.csv: every stage, grid and weight decay.
        watch: may stop it between batches and fits.
        look: is given the network once it has been measured.

    Returns:
        Of the chosen stage and grid, what `rotnet.evaluation.metrics.metrics` says, and
        val_accuracy, chosen_stage (0 is the network's first), chosen_pool and chosen_l2; of every
        one, accuracy_<stage>, or accuracy_<stage>_pool<side> for a grid.

    Raises:
        CheckpointError: if the network cannot be read, does not fit or has diverged.
        DataError: if the two sets are not the sides of one split, if no group can be held out, or
            if the network may have learnt from the test videos.
        UserError: if every grid is finer than the maps of every stage.
        Stopped: if the watch wished so.
    """
    check_pair(train, test)
    _, judges = hold_out(train.videos, config.linear.val_fraction, config.seed)
    model = frozen_network(config, init, train, watch)
    _check_pools(config, model)
    try:
        given, asked = (_features(config, model, videos, watch) for videos in (train, test))
    except CheckpointError as error:
        raise CheckpointError(f"{init or 'the random network'}: {error}") from None

    def pause() -> None:
        if watch.should_stop() == "now":
            raise Stopped("stopped between two probes")

    labels = _labels(train)
    names = {video.path for video in judges}
    held_out = torch.tensor([video.path in names for video in train.videos], device=labels.device)
    trials = try_probes(given, labels, held_out, len(train.classes), config.linear.l2, pause)
    each = best_of_each(trials)
    chosen = best(list(each.values()))
    tested: dict[str, Scores] = {}
    for name, trial in each.items():
        pause()
        probe = fit_logistic(given[name], labels, len(train.classes), trial.l2)
        tested[name] = _scores(probe, asked[name], test)

    judged = _scores(chosen.fit, given[chosen.name][held_out], replace(train, videos=judges))
    judged.save(folder, VAL_SCORES)
    accuracy = {name: _accuracy(scores) for name, scores in tested.items()}
    _write_trials(folder / PROBES, trials, each, chosen, accuracy)
    if look is not None:
        look(model)
    stage, pool = _places(model.stages, config.linear.pools)[chosen.name]
    return {
        **leave(tested[chosen.name], folder),
        "val_accuracy": chosen.val_accuracy,
        "chosen_stage": float(stage),
        "chosen_pool": float(pool),
        "chosen_l2": chosen.l2,
        **{f"accuracy_{name}": value for name, value in accuracy.items()},
    }


def _check_pools(config: ProbeConfig, model: VideoNet) -> None:
    """Refuse grids of which none fits into any stage's maps."""
    clip, finest = config.clip, min(config.linear.pools)
    largest = max(model.map_size(stage, clip.frames, clip.size)[1] for stage in model.stages)
    if finest > largest:
        raise UserError(
            f"linear.pools needs a grid of at most {largest} x {largest}, the largest maps that "
            f"clips of {clip.size} pixels leave, got {list(config.linear.pools)}"
        )


def _features(config: ProbeConfig, model: VideoNet, videos: VideoSet, watch: Watch) -> Features:
    """Return the features of all videos, in their order, on the device."""
    device = find_device()
    found = video_features(
        stage_vectors(model, config.linear.pools),
        scoring_loader(videos, config.clip, config.modality, config.runtime),
        network_input(config.modality, config.views, device),
        clips=config.linear.clips,
        batch_size=config.runtime.eval_batch,
        watch=watch,
    )
    return {name: torch.from_numpy(array).to(device) for name, array in found.items()}


def _labels(videos: VideoSet) -> Tensor:
    return torch.from_numpy(labels_of(videos.videos, videos.classes)).to(find_device())


def _scores(probe: Logistic, features: Tensor, videos: VideoSet) -> Scores:
    logits = probe.logits(features)
    return Scores(
        videos=tuple(video.path for video in videos.videos),
        classes=videos.classes,
        labels=labels_of(videos.videos, videos.classes),
        probabilities=logits.softmax(1).cpu().numpy(),
        logits=logits.cpu().numpy(),
    )


def _accuracy(scores: Scores) -> float:
    return float(np.mean(scores.probabilities.argmax(axis=1) == scores.labels))


def _places(stages: Sequence[str], pools: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Return each name's stage, by its number, and pool."""
    return {
        vector_name(stage, pool): (number, pool)
        for number, stage in enumerate(stages)
        for pool in pools
    }


def _write_trials(
    path: Path,
    trials: Sequence[Trial],
    each: Mapping[str, Trial],
    chosen: Trial,
    accuracy: Mapping[str, float],
) -> None:
    """Write a row for each trial; only one of each name was fitted again and has a test accuracy.

    `gradient` is where the fit ended: more than 1e-6 says that it was cut short.
    """
    write_table(
        path,
        ["features", "l2", "val_accuracy", "val_loss", "gradient", "test_accuracy", "chosen"],
        (
            [
                trial.name,
                trial.l2,
                trial.val_accuracy,
                trial.val_loss,
                trial.fit.gradient,
                accuracy[trial.name] if trial is each[trial.name] else None,
                int(trial is chosen),
            ]
            for trial in trials
        ),
    )
