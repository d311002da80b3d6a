"""Scoring: what a network that names classes says of every video."""

from typing import Literal

import numpy as np
import torch
from torch import nn

from rotnet.config import EvaluateConfig, TrainConfig
from rotnet.data.loader import ClipLoader
from rotnet.errors import CheckpointError
from rotnet.evaluation.inputs import Prepare
from rotnet.evaluation.scores import Scores
from rotnet.learning.device import autocast
from rotnet.learning.watch import Stopped, Watch


def score_videos(
    model: nn.Module,
    loader: ClipLoader,
    prepare: Prepare,
    classes: tuple[str, ...],
    *,
    config: EvaluateConfig,
    training: TrainConfig,
    batch_size: int,
    watch: Watch,
) -> Scores:
    """Score every video of a loader: the mean softmax over its clips, and the mean logits.

    Args:
        model: on its device; left in eval mode.
        loader: of labelled videos.
        prepare: a batch's network input.
        classes: names of the model's outputs, in order.
        config: clips and crops per video.
        training: for the number format.
        batch_size: clips per batch.
        watch: may stop it between batches.

    Raises:
        CheckpointError: if a score is not finite.
        Stopped: if the watch wished so.
    """
    model.eval()
    shape = (len(loader.videos), len(classes))
    softmax, logits = np.zeros(shape), np.zeros(shape)
    clips, right, labels = (np.zeros(shape[0], dtype=np.int64) for _ in range(3))
    crops: Literal[1, 3] = config.crops
    batches = loader.scoring(clips=config.clips, crops=crops, batch_size=batch_size)
    with torch.inference_mode():
        for number, batch in enumerate(batches, 1):
            if watch.should_stop() == "now":
                raise Stopped(f"stopped after batch {number}")
            given = prepare(batch)
            with autocast(training, given.device):
                outputs = model(given)
            outputs = outputs.double()
            chosen, truth = batch.videos.numpy(), batch.labels.numpy()
            np.add.at(softmax, chosen, outputs.softmax(1).cpu().numpy())
            np.add.at(logits, chosen, outputs.cpu().numpy())
            np.add.at(clips, chosen, 1)
            np.add.at(right, chosen, outputs.argmax(1).cpu().numpy() == truth)
            labels[chosen] = truth
    if not (np.isfinite(softmax).all() and np.isfinite(logits).all()):
        raise CheckpointError("gives no finite scores: its training has diverged")
    return Scores(
        videos=tuple(video.path for video in loader.videos),
        classes=classes,
        labels=labels,
        probabilities=softmax / clips[:, None],
        logits=logits / clips[:, None],
        clips=clips,
        clips_right=right,
    )
