"""Evaluation: how well a fine-tuned network names the actions of test videos."""

import shutil
from pathlib import Path

import torch

from rotnet.config import FinetuneConfig, ScoreConfig
from rotnet.data.video import VideoSet
from rotnet.errors import CheckpointError, DataError
from rotnet.evaluation.inputs import network_input, scoring_loader
from rotnet.evaluation.outcome import leave
from rotnet.evaluation.scores import VAL_SCORES, Scores
from rotnet.evaluation.scoring import score_videos
from rotnet.learning.checkpoint import Network, load_network, make_model
from rotnet.learning.device import find_device
from rotnet.learning.seen import refuse_seen
from rotnet.learning.watch import Watch


def evaluate(
    config: ScoreConfig, network: Path, videos: VideoSet, folder: Path, watch: Watch
) -> dict[str, float]:
    """Score videos with a network, leave the scores in a folder, and return their metrics.

    A video's score is the mean softmax over its clips. Every video has a score: one too short for a
    window is looped or padded as in training, and looped where training dropped such videos.

    Args:
        config: clips and crops per video.
        network: folder of a fine-tuning; brings its clip, views and modality.
        videos: labelled ones, of the classes that the network knows.
        folder: gets scores.npz, confusion.csv and classes.csv, and a copy of the network's
            val_scores.npz, if it has one, for a fusion to be fitted on.
        watch: may stop it.

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
    if saved.classes != videos.classes:
        raise DataError(
            f"{network}: was trained on the classes {', '.join(saved.classes)}; "
            f"{videos.folder} has {', '.join(videos.classes)}"
        )
    refuse_seen(network, saved, videos)
    scores = score_network(config, network, saved, videos, watch)
    (folder / VAL_SCORES).unlink(missing_ok=True)
    if (network / VAL_SCORES).exists():
        shutil.copyfile(network / VAL_SCORES, folder / VAL_SCORES)
    return leave(scores, folder)


def score_network(
    config: ScoreConfig, network: Path, saved: Network, videos: VideoSet, watch: Watch
) -> Scores:
    """Score videos with a fine-tuned network as it was saved.

    Args:
        config: clips and crops per video.
        network: its folder, for messages.
        saved: what lies there.
        videos: labelled ones.
        watch: may stop it.

    Raises:
        CheckpointError: if its weights do not fit it, or a score is not finite.
        DataError: if there is no video.
        Stopped: if the watch wished so.
    """
    tuned = FinetuneConfig.model_validate(saved.config)
    device = find_device()
    try:
        return score_videos(
            make_model(saved).to(device).to(memory_format=torch.channels_last_3d),
            scoring_loader(videos, tuned.clip, tuned.modality, config.runtime),
            network_input(tuned.modality, tuned.views, device),
            saved.classes,
            config=config.evaluate,
            training=tuned.finetune,
            batch_size=config.runtime.eval_batch,
            watch=watch,
        )
    except CheckpointError as error:
        raise CheckpointError(f"{network}: {error}") from None
