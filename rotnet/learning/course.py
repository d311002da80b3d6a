"""From videos to a saved network: what pretraining and fine-tuning have in common."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rotnet.config import ClipConfig, FinetuneConfig, PretrainConfig, TrainConfig, identity
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.video import Video, VideoSet
from rotnet.errors import UserError
from rotnet.learning.checkpoint import Network, save_network
from rotnet.learning.company import Company
from rotnet.learning.descent import Task
from rotnet.learning.division import Division, refusal
from rotnet.learning.history import final_metrics, write_history
from rotnet.learning.judge import Told, judge
from rotnet.learning.loop import train
from rotnet.learning.meter import Meter
from rotnet.learning.schedule import steps_in_epoch
from rotnet.learning.table import write_confusion
from rotnet.learning.together import Together
from rotnet.learning.watch import Watch
from rotnet.models.net import VideoNet, set_recompute
from rotnet.pretexts.objective import CrossEntropy
from rotnet.pretexts.pretext import Objective

JUDGED_TOGETHER = 32  # views of a batch to be judged on: what is drawn for them hangs on it

Prepare = Callable[[Batch], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Course:
    """What is learnt, by which network.

    Args:
        kind: "pretrain" or "finetune".
        config: all settings of the stage.
        training: those of its training.
        model: the network at its start, on its device.
        classes: names of its outputs.
        learnt: videos to learn from.
        held_out: videos to be judged on; may be none.
        learn: a batch's network input (N, 3, T, H, W) and the targets (N,) to learn.
        test: the same, with the targets to be judged by.
        objective: how outputs are held against targets.
        read: what is read of a video; None reads a clip.
        copies: N for a batch of one clip.
        names: of the targets whose accuracy is wanted one by one.
        divides: whether `learn` can be given a share of a batch, as one of several processes is.
    """

    kind: str
    config: PretrainConfig | FinetuneConfig
    training: TrainConfig
    model: VideoNet
    classes: tuple[str, ...]
    learnt: tuple[Video, ...]
    held_out: tuple[Video, ...]
    learn: Prepare
    test: Prepare
    objective: Objective = CrossEntropy()  # noqa: RUF009  it holds nothing
    read: ClipConfig | None = None
    copies: int = 1
    names: tuple[str, ...] = ()
    divides: bool = True


def follow(
    course: Course,
    videos: VideoSet,
    folder: Path,
    watch: Watch,
    meter: Meter | None = None,
    **also: object,
) -> dict[str, float]:
    """Train a network to the end, judge it on held-out videos, and leave it in the folder.

    It is judged in eval mode, on the centre clip of every held-out video, after each epoch. Called
    again with the same folder, it continues from the last checkpoint; so it does where that is of a
    shorter training which is the beginning of this one (`rotnet.learning.length`).

    Where this process is in a process group of torch.distributed, all of that call this, and
    compute what one process does (`rotnet.learning.division`); the leader alone watches and writes.

    Args:
        course: what is learnt.
        videos: the set that the course's videos are from, for its frames and its identity.
        folder: gets checkpoint.pt while it runs, network.pt and history.json at the end; and
            confusion.csv, of the last judging, where targets have names.
        watch: is told of progress, and may stop it.
        meter: hears of the parts of each step; None is nobody.
        **also: what else a checkpoint must agree in to be continued.

    Returns:
        steps, train_loss and train_accuracy (of the last report); val_loss, val_accuracy,
        val_accuracy_<name> and what else the objective measures, where videos are held out; counts
        of videos: videos, val_videos, short_videos, dropped_videos, upscaled_videos;
        largest_upscale, the factor by which the smallest of those is enlarged.

    Raises:
        DataError: if no video is usable.
        CheckpointError: if the folder's checkpoint belongs to other work.
        UserError: if a batch is too small for batch normalisation, or cannot be divided among the
            processes.
        Stopped: if the watch wished so.
    """
    config, training = course.config, course.training
    company = Company.here()
    _check_batch(course)
    if config.runtime.recompute:
        set_recompute(course.model, config.model.backbone)
    together = None if company.size == 1 else _together(course, company)
    loader = _loader(replace(videos, videos=course.learnt), course)
    validate = None
    told = Told(len(course.names)) if course.names else None
    if course.held_out:
        validate = partial(
            judge,
            course.model,
            _loader(replace(videos, videos=course.held_out), course),
            course.test,
            course.objective,
            config=training,
            batch_size=max(1, JUDGED_TOGETHER // course.copies),
            at_once=max(course.copies, config.runtime.eval_batch),
            names=course.names,
            told=told,
            company=company,
        )

    def batches(step: int) -> Iterator[Batch]:
        return loader.training(
            batch_size=training.batch_size,
            seed=config.seed,
            flip=config.views.flip,
            first=step,
            rows=None if together is None else together.division.rows,
        )

    device = next(course.model.parameters()).device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)  # dropout draws from torch's own generator
        history = train(
            Task(course.model, batches, course.learn, validate, course.objective),
            training,
            steps_per_epoch=steps_in_epoch(training, loader.fit.used),
            identity={**_identity(config, videos), **also},
            folder=folder,
            checkpoint_s=config.runtime.checkpoint_s,
            watch=watch,
            meter=meter,
            together=together,
        )
    if validate is not None and told is not None:
        if not told.counts.any():  # all had been learnt before; it was judged in another process
            validate()
        if company.leads:
            write_confusion(folder, course.names, told.counts)
    if company.leads:
        save_network(
            Network(
                kind=course.kind,
                config=config.model_dump(mode="json"),
                classes=course.classes,
                data=videos.fingerprint,
                split=videos.split,
                weights=course.model.state_dict(),
            ),
            folder,
        )
        write_history(history, folder)
    return final_metrics(history, loader.fit, len(course.held_out))


def _together(course: Course, company: Company) -> Together:
    """Divide batches among the processes of a company."""
    training, device = course.training, next(course.model.parameters()).device
    if not course.divides:
        raise UserError(
            "this pretext does not say that it can be given a share of a batch (`divides`, see "
            "rotnet.pretexts.pretext): train by one process"
        )
    why = refusal(course.kind, training, company.size, gpus=device.type == "cuda")
    if why is not None:
        raise UserError(why)
    division = Division(training.batch_size, training.accumulate, company.size, company.rank)
    return Together(course.model, division, company, compiled=training.compile)


def _check_batch(course: Course) -> None:
    """Refuse a batch that leaves batch normalisation a single value."""
    model, clip = course.model, course.config.clip
    last = model.stages[-1]
    learns = model.frozen < len(model.stages)
    at_once = course.training.batch_size // course.training.accumulate
    single = at_once * course.copies == 1
    if single and learns and model.map_size(last, clip.frames, clip.size) == (1, 1):
        raise UserError(
            f"{course.kind}.batch_size must be at least {2 * course.training.accumulate} here, got "
            f"{course.training.batch_size}: the last stage leaves batch "
            f"normalisation a single value of a clip of {clip.frames} frames, {clip.size} pixels"
        )


def _loader(videos: VideoSet, course: Course) -> ClipLoader:
    config = course.config
    return ClipLoader(
        videos,
        course.read or config.clip,
        config.modality,
        workers=config.runtime.workers,
        verify=config.runtime.verify,
    )


def _identity(config: PretrainConfig | FinetuneConfig, videos: VideoSet) -> Mapping[str, Any]:
    return {**identity(config), "data": [videos.fingerprint, videos.role, videos.split]}
