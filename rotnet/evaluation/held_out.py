"""Validation scores: what a fine-tuned network says of the videos that it was not shown."""

from dataclasses import replace
from pathlib import Path

from rotnet.config import FinetuneConfig, ScoreConfig
from rotnet.data.video import VideoSet
from rotnet.evaluation.evaluate import score_network
from rotnet.evaluation.scores import VAL_SCORES, Scores
from rotnet.learning.checkpoint import load_network
from rotnet.learning.lessons import finetuning_videos
from rotnet.learning.watch import Watch


def score_held_out(
    config: ScoreConfig, network: Path, videos: VideoSet, watch: Watch
) -> Scores | None:
    """Score the training videos that were held out of a fine-tuning, for fusions to be fitted on.

    Args:
        config: clips and crops per video.
        network: folder of the fine-tuning; gets val_scores.npz.
        videos: what it was given to learn from, the held-out ones among them.
        watch: may stop it.

    Returns:
        The scores; None, and no file, where the network has learnt from all videos.

    Raises:
        CheckpointError: if the network cannot be read, or has diverged.
        Stopped: if the watch wished so.
    """
    (network / VAL_SCORES).unlink(missing_ok=True)
    saved = load_network(network)
    tuned = FinetuneConfig.model_validate(saved.config)
    _, held_out = finetuning_videos(tuned, videos.videos)
    if not held_out:
        return None
    scores = score_network(config, network, saved, replace(videos, videos=held_out), watch)
    scores.save(network, VAL_SCORES)
    return scores
