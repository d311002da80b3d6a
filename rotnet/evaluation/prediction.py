"""What a network says of a video, averaged over its clips: the action, or the rotation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from rotnet.config import ClipConfig, PretextConfig, PretrainConfig, RuntimeConfig
from rotnet.data.loader import Batch
from rotnet.data.video import VideoSet
from rotnet.errors import CheckpointError
from rotnet.evaluation.opened import Opened
from rotnet.pretexts.pretext import make_pretext
from rotnet.views.chance import generator
from rotnet.views.modality import as_input


@dataclass(frozen=True, slots=True)
class Prediction:
    """A ranking of what a network tells apart.

    Args:
        ranking: class and share, the greatest first, all K of them; shares sum to 1.
        clips: how many they are the mean of.
    """

    ranking: tuple[tuple[str, float], ...]
    clips: int


@dataclass(frozen=True)
class _Reading:
    """How clips are read and shown to a network, and what its outputs say, (B, K) shares."""

    clip: ClipConfig
    see: Callable[[Batch], Tensor]
    say: Callable[[Tensor], Tensor]


def predict(network: Opened, videos: VideoSet, *, clips: int, runtime: RuntimeConfig) -> Prediction:
    """Return what a network says of the first video of a set.

    A fine-tuned network names the action by the mean softmax of its clips. One pretrained on
    rotations names the angle by which it thinks the video was turned, in degrees counter-clockwise;
    where it was taught by regression, a share is that of the clips that are nearest to an angle of
    its set.

    Args:
        network: fine-tuned, or pretrained on rotations.
        videos: a set of one video.
        clips: evenly spread over it, centre crop; a short video has fewer.
        runtime: clips per batch, and threads that read them.

    Raises:
        CheckpointError: if the network names neither, or its outputs are not finite.
    """
    reading = _reading(network)
    loader = network.loader(videos, runtime, reading.clip)
    total, count = np.zeros(len(network.classes)), 0
    for batch in loader.scoring(clips=clips, batch_size=runtime.eval_batch):
        shown = reading.see(batch)  # before: half precision is for the network only
        with network.looking():
            outputs = network.model(shown).double()
        if not outputs.isfinite().all():
            raise CheckpointError(
                f"{network.name}: gives no finite outputs: its training has diverged"
            )
        total += reading.say(outputs).sum(0).cpu().numpy()
        count += len(batch.videos)
    order = np.argsort(-total, kind="stable")
    return Prediction(tuple((network.classes[k], float(total[k] / count)) for k in order), count)


def _reading(network: Opened) -> _Reading:
    config = network.config
    if network.kind == "finetune":
        return _Reading(config.clip, network.see, _softmax)
    if network.kind == "pretrain" and isinstance(config, PretrainConfig):
        if config.pretext.task == "rotation":
            return _reading_of_rotations(network, config)
        raise CheckpointError(
            f"{network.name}: was pretrained on {config.pretext.task!r}, which says nothing of a "
            "video as it is; give a fine-tuned network, or one pretrained on rotations"
        )
    raise CheckpointError(
        f"{network.name}: holds a {network.kind} network, which names no action: fine-tune it first"
    )


def _reading_of_rotations(network: Opened, config: PretrainConfig) -> _Reading:
    """Return how a rotation network sees a video as it is: turned by 0 degrees on its own path.

    On the resampled path 0 degrees is low-passed like any other angle; without the jitter, and with
    a part of a pixel by which each batch's clips move.
    """
    pretext = make_pretext(config)
    resampled, room = config.pretext.resampled, config.pretext.room
    upright = PretextConfig(
        rotations=2,
        path="resampled" if resampled else "exact",
        room=room,
        jitter=0.0 if resampled else None,
    )
    unturned = make_pretext(config.model_copy(update={"pretext": upright}))

    def show(clips: Tensor, seams: Tensor) -> Tensor:
        return as_input(clips, config.modality, config.views, seams)

    def see(batch: Batch) -> Tensor:
        chance = generator(config.seed, "prediction", batch.number)
        views, _ = unturned.make(batch.to(network.device), show, chance)
        return views[:: unturned.copies]  # of 0 and 180 degrees, the first

    def votes(outputs: Tensor) -> Tensor:
        return one_hot(pretext.predict(outputs), len(network.classes)).double()

    return _Reading(unturned.read, see, _softmax if config.pretext.target == "softmax" else votes)


def _softmax(outputs: Tensor) -> Tensor:
    return torch.softmax(outputs, dim=1)
