"""Fine-tuning: a network, pretrained or not, learns to name the action."""

import hashlib
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from rotnet.config import FinetuneConfig
from rotnet.data.loader import ClipLoader
from rotnet.data.video import VideoSet
from rotnet.errors import CheckpointError
from rotnet.learning.checkpoint import CONVERTED, NETWORK, load_network, load_weights
from rotnet.learning.course import Course, follow
from rotnet.learning.device import find_device
from rotnet.learning.lessons import action_lesson, action_question, finetuning_videos
from rotnet.learning.meter import Meter
from rotnet.learning.seen import refuse_other_net, refuse_other_sight, refuse_seen
from rotnet.learning.watch import Watch
from rotnet.models.batchnorm import STATISTICS, reestimate
from rotnet.models.freezing import freeze
from rotnet.models.net import HEAD, VideoNet, build


def finetune(
    config: FinetuneConfig,
    videos: VideoSet,
    init: Path | None,
    folder: Path,
    watch: Watch,
    meter: Meter | None = None,
) -> dict[str, float]:
    """Train a network to name the action, and leave it in <folder>/network.pt.

    Frozen stages keep their weights and statistics; of a network that starts from random weights,
    the statistics are first taken from the training videos. Called again with the same folder, it
    continues from the last checkpoint.

    Args:
        config: all settings.
        videos: labelled ones to learn from.
        init: folder of the pretraining or converted network to start from, whose head is dropped;
            None starts from random weights.
        folder: gets checkpoint.pt while it runs, network.pt and history.json at the end.
        watch: is told of progress, and may stop it.
        meter: hears of the parts of each step; None is nobody.

    Returns:
        See `rotnet.learning.course.follow`.

    Raises:
        CheckpointError: if the pretrained network does not fit; every mismatch is listed.
        DataError: if no video is usable.
        UserError: if a batch is too small for batch normalisation.
        Stopped: if the watch wished so.
    """
    device = find_device()
    model = build(config.model, len(videos.classes), config.seed)
    if init is not None:
        start_from(model, init, config, videos)
    model.to(device).to(memory_format=torch.channels_last_3d)
    learnt, held_out = finetuning_videos(config, videos.videos)
    if config.finetune.freeze and init is None:
        _see(model, config, replace(videos, videos=learnt), device)
    freeze(model, config.finetune.freeze)
    course = Course(
        kind="finetune",
        config=config,
        training=config.finetune,
        model=model,
        classes=videos.classes,
        learnt=learnt,
        held_out=held_out,
        learn=lambda batch: action_lesson(config, batch.to(device)),
        test=lambda batch: action_question(config, batch.to(device)),
    )
    return follow(course, videos, folder, watch, meter, init=_digest(init))


def _see(model: VideoNet, config: FinetuneConfig, videos: VideoSet, device: torch.device) -> None:
    """Give random stages that are to be frozen the statistics of what they will be shown.

    Those of a network that has seen nothing would pass on values of any size.
    """
    count, size = STATISTICS
    loader = ClipLoader(
        videos,
        config.clip,
        config.modality,
        workers=config.runtime.workers,
        verify=config.runtime.verify,
    )
    batches = loader.training(batch_size=size, seed=config.seed, flip=config.views.flip, first=0)
    reestimate(
        model,
        (action_question(config, batch.to(device))[0] for batch in islice(batches, count)),
    )


def start_from(model: VideoNet, init: Path, config: FinetuneConfig, videos: VideoSet) -> None:
    """Give a network the weights of a pretraining or of a converted network, all but the head.

    Raises:
        CheckpointError: if it is neither, if modality, normalisation or build differ, or if any
            weight outside the head is missing, unexpected or of another shape; all are listed.
        DataError: if it may have learnt from the videos that the split tests on.
    """
    network = load_network(init)
    if network.kind not in ("pretrain", CONVERTED):
        raise CheckpointError(
            f"{init}: holds a {network.kind}, where a pretraining or a converted network is needed"
        )
    refuse_other_sight(init, network, config.modality, config.views)
    refuse_other_net(init, network, config.model)
    refuse_seen(init, network, videos)
    try:
        load_weights(model, network.weights, without=HEAD)
    except CheckpointError as error:
        raise CheckpointError(f"{init}: {error}") from None


def _digest(init: Path | None) -> str | None:
    """Return the SHA-256 of the network that is started from."""
    if init is None:
        return None
    return hashlib.sha256((init / NETWORK).read_bytes()).hexdigest()
