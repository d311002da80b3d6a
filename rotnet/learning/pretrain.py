"""Pretraining: a network learns from clips that say by themselves what was done to them."""

from pathlib import Path

import torch

from rotnet.config import PretrainConfig
from rotnet.data.video import VideoSet
from rotnet.learning.course import Course, follow
from rotnet.learning.device import find_device
from rotnet.learning.lessons import pretext_lesson, pretext_question, pretraining_videos
from rotnet.learning.meter import Meter
from rotnet.learning.watch import Watch
from rotnet.models.net import build
from rotnet.pretexts.pretext import make_pretext

NAMED = 16  # so many targets at most are judged one by one


def pretrain(
    config: PretrainConfig,
    videos: VideoSet,
    folder: Path,
    watch: Watch,
    meter: Meter | None = None,
) -> dict[str, float]:
    """Pretrain a network, judge it on held-out videos, and leave it in <folder>/network.pt.

    A step shows `batch_size` clips, each in all the views that the pretext makes of it. The pretext
    is judged target by target where there are not many, and by the true ones where the labels to
    learn are random. Called again with the same folder, it continues from the last checkpoint.

    Args:
        config: all settings.
        videos: to learn from. Nothing is learnt from labels; where there are any, the videos held
            out are spread evenly over the classes.
        folder: gets checkpoint.pt while it runs, network.pt and history.json at the end.
        watch: is told of progress, and may stop it.
        meter: hears of the parts of each step; None is nobody.

    Returns:
        See `rotnet.learning.course.follow`; for rotations the names of val_accuracy_<name> are
        degrees, and val_circular_error is in degrees.

    Raises:
        DataError: if no video is usable.
        UserError: if a batch is too small for batch normalisation.
        Stopped: if the watch wished so.
    """
    device = find_device()
    pretext = make_pretext(config)
    model = build(config.model, pretext.num_outputs, config.seed)
    model.to(device).to(memory_format=torch.channels_last_3d)
    learnt, held_out = pretraining_videos(config, videos.videos)
    course = Course(
        kind="pretrain",
        config=config,
        training=config.pretrain,
        model=model,
        classes=pretext.names,
        learnt=learnt,
        held_out=held_out,
        learn=lambda batch: pretext_lesson(config, pretext, batch.to(device)),
        test=lambda batch: pretext_question(config, pretext, batch.to(device)),
        objective=pretext,
        read=pretext.read,
        copies=pretext.copies,
        names=pretext.names if len(pretext.names) <= NAMED else (),
        divides=getattr(pretext, "divides", False),
    )
    return follow(course, videos, folder, watch, meter)
