"""What a stage leaves for people to see where its network looks: a by-product, never a result."""

import logging
from collections.abc import Callable
from pathlib import Path

from rotnet.config import FinetuneConfig, FrozenConfig, RuntimeConfig
from rotnet.data.video import VideoSet
from rotnet.evaluation.opened import Opened
from rotnet.learning.device import find_device
from rotnet.models.net import VideoNet
from rotnet.pictures.few import few_of, strip_of
from rotnet.pictures.strip import FILE

_LOG = logging.getLogger(__name__)


def leave_attention(
    open_it: Callable[[], Opened],
    videos: VideoSet,
    runtime: RuntimeConfig,
    folder: Path,
    *,
    beside: bool = True,
) -> None:
    """Leave a picture of what a network attends to in a few videos, unless none is wished.

    It is made when all else is done, and draws no chance. That it cannot be made costs no result:
    the stage's log says why.

    Args:
        open_it: gives the network.
        videos: that a few are taken of, by `rotnet.pictures.few.few_of`.
        runtime: how many, and how many clips at once.
        folder: gets attention.png.
        beside: see `rotnet.pictures.few.strip_of`.
    """
    (folder / FILE).unlink(missing_ok=True)  # of an earlier attempt
    if not runtime.attention or not videos.videos:
        return
    try:
        few = few_of(videos, runtime.attention)
        strip_of(open_it(), few, runtime.eval_batch, beside=beside).save(folder / FILE)
    except Exception as error:  # noqa: BLE001  (whatever it is, the stage has its result)
        _LOG.warning("no attention maps are left: %s: %s", type(error).__name__, error)


def frozen_opened(config: FrozenConfig, model: VideoNet) -> Opened:
    """Return a frozen network as one to look into, in the precision it is measured in."""
    seeing = FinetuneConfig(
        modality=config.modality, clip=config.clip, views=config.views, model=config.model
    )
    return Opened("frozen", "frozen", seeing, (), model, find_device())
