"""Frozen networks: what is measured without learning any more."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from rotnet.config import FrozenConfig
from rotnet.data.video import VideoSet
from rotnet.errors import CheckpointError, DataError
from rotnet.evaluation.inputs import network_input, scoring_loader
from rotnet.learning.checkpoint import load_network, load_weights
from rotnet.learning.device import find_device
from rotnet.learning.seen import refuse_other_net, refuse_other_sight, refuse_seen
from rotnet.learning.watch import Stopped, Watch
from rotnet.models.batchnorm import STATISTICS, reestimate
from rotnet.models.net import HEAD, VideoNet, build

BATCHES, BATCH_SIZE = STATISTICS


def frozen_network(
    config: FrozenConfig, init: Path | None, train: VideoSet, watch: Watch
) -> VideoNet:
    """Return a network to be measured: on its device, in eval mode, without gradients.

    A random network's batch normalisation would scale by nothing it has seen, so its statistics are
    taken from the training videos (`rotnet.models.batchnorm.reestimate`): 32 batches of 16 clips,
    drawn as a training with this seed draws them.

    Args:
        config: model, modality and views, which a saved network must share.
        init: folder of a saved network of any kind (pretrained, fine-tuned, converted), whose head
            plays no part; None is a network with the random weights of config.seed, those from
            which a fine-tuning from scratch starts.
        train: training videos of the split whose test videos are to be measured.
        watch: may stop it between batches.

    Raises:
        CheckpointError: if the saved network cannot be read or does not fit; every mismatch is
            listed.
        DataError: if it may have learnt from the split's test videos.
        Stopped: if the watch wished so.
    """
    device = find_device()
    model = build(config.model, len(train.classes), config.seed)
    if init is not None:
        saved = load_network(init)
        refuse_seen(init, saved, train)
        refuse_other_sight(init, saved, config.modality, config.views)
        refuse_other_net(init, saved, config.model)
        try:
            load_weights(model, saved.weights, without=HEAD)
        except CheckpointError as error:
            raise CheckpointError(f"{init}: {error}") from None
    model.to(device).to(memory_format=torch.channels_last_3d).requires_grad_(requires_grad=False)
    if init is None:
        reestimate(model, _training_inputs(config, train, device, watch))
    return model.eval()


def check_pair(train: VideoSet, test: VideoSet) -> None:
    """Check that two sets of videos are the two sides of one split, and have labels.

    Raises:
        DataError: if they are not.
    """
    sides = [(one.fingerprint, one.classes, one.split) for one in (train, test)]
    if sides[0] != sides[1]:
        raise DataError(
            f"the training videos of {train.folder}, split {train.split}, and the test videos of "
            f"{test.folder}, split {test.split}, are not the two sides of one split"
        )
    if not train.classes:
        raise DataError(f"{train.folder} has no labels to measure a network by")
    if common := {video.path for video in train.videos} & {video.path for video in test.videos}:
        raise DataError(
            f"{train.folder}, split {train.split}: {len(common)} videos are both to learn from and "
            f"to be tested on, such as {min(common)}"
        )


def _training_inputs(
    config: FrozenConfig, train: VideoSet, device: torch.device, watch: Watch
) -> Iterator[Tensor]:
    loader = scoring_loader(train, config.clip, config.modality, config.runtime)
    prepare = network_input(config.modality, config.views, device)
    batches = loader.training(
        batch_size=BATCH_SIZE, seed=config.seed, flip=config.views.flip, first=0
    )
    for number, batch in enumerate(islice(batches, BATCHES), 1):
        if watch.should_stop() == "now":
            raise Stopped(f"stopped after batch {number} of {BATCHES}")
        yield prepare(batch)
