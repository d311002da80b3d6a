"""Scoring: what a fine-tuned network says of every test video."""

from pathlib import Path

import numpy as np
import torch

from rotnet.config import FinetuneConfig, ScoreConfig
from rotnet.data.loader import ClipLoader
from rotnet.data.manifest import VideoSet
from rotnet.errors import CheckpointError, DataError
from rotnet.evaluation.metrics import metrics
from rotnet.evaluation.scores import Scores
from rotnet.learning.checkpoint import load_network, load_weights
from rotnet.learning.device import autocast, find_device
from rotnet.learning.watch import Stopped, Watch
from rotnet.models.net import build
from rotnet.views.modality import as_input


def evaluate(
    config: ScoreConfig, network: Path, videos: VideoSet, folder: Path, watch: Watch
) -> dict[str, float]:
    """Score videos with a network, leave <folder>/scores.npz, and return its metrics.

    A video's score is the mean softmax over its clips. Every video has a score: one too short for a
    window is looped or padded as in training, and looped where training dropped such videos.

    Args:
        config: clips per video.
        network: folder of a fine-tuning; brings its clip, views and modality.
        videos: labelled ones, of the classes that the network knows.
        folder: gets scores.npz.
        watch: is told of progress, and may stop it.

    Returns:
        See `rotnet.evaluation.metrics.metrics`.

    Raises:
        CheckpointError: if the network cannot be read, was not fine-tuned, or has diverged.
        DataError: if the videos' classes are not the network's, if it was trained on another
            split of the same set, or if there is no video.
        Stopped: if the watch wished so.
    """
    saved = load_network(network)
    if saved.kind != "finetune":
        raise CheckpointError(
            f"{network}: holds a {saved.kind} network, which names no action: fine-tune it first"
        )
    tuned = FinetuneConfig.model_validate(saved.config)
    if saved.classes != videos.classes:
        raise DataError(
            f"{network}: was trained on the classes {', '.join(saved.classes)}; "
            f"{videos.folder} has {', '.join(videos.classes)}"
        )
    if saved.data == videos.fingerprint and saved.split != videos.split:
        raise DataError(
            f"{network}: was trained on split {saved.split} of {videos.folder}, so split "
            f"{videos.split} would test it on videos it has learnt from; give split {saved.split}"
        )
    device = find_device()
    model = build(tuned.model, len(saved.classes), seed=0)
    load_weights(model, saved.weights)
    model.to(device).to(memory_format=torch.channels_last_3d)
    model.eval()
    clip = tuned.clip
    if clip.short_video == "drop":
        clip = clip.model_copy(update={"short_video": "loop"})
    loader = ClipLoader(videos, clip, tuned.modality, workers=config.runtime.workers)
    totals = np.zeros((len(loader.videos), len(saved.classes)))
    counts = np.zeros(len(loader.videos))
    labels = np.zeros(len(loader.videos), dtype=np.int64)
    with torch.inference_mode():
        for number, batch in enumerate(
            loader.scoring(clips=config.evaluate.clips, batch_size=config.runtime.eval_batch), 1
        ):
            if watch.should_stop() == "now":
                raise Stopped(f"stopped after batch {number}")
            clips = as_input(
                batch.clips.to(device), tuned.modality, mean=tuned.views.mean, std=tuned.views.std
            )
            with autocast(tuned.finetune, device):
                logits = model(clips)
            chosen = batch.videos.numpy()
            np.add.at(totals, chosen, logits.double().softmax(1).cpu().numpy())
            np.add.at(counts, chosen, 1)
            labels[chosen] = batch.labels.numpy()
    if not np.isfinite(totals).all():
        raise CheckpointError(f"{network}: gives no finite scores: its training has diverged")
    scores = Scores(
        videos=tuple(video.path for video in loader.videos),
        classes=saved.classes,
        labels=labels,
        probabilities=totals / counts[:, None],
    )
    scores.save(folder)
    return metrics(scores)
