"""How rotnet's stage kinds are run: their inputs and data become what its functions take."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from rotlab.execution.stage.attention import frozen_opened, leave_attention
from rotlab.planning.plan.weights import weights_fingerprint
from rotlab.planning.stage import HELD_OUT, DataRef, is_held_out
from rotnet.config import (
    FinetuneConfig,
    FrozenConfig,
    FusionConfig,
    PretrainConfig,
    ProbeConfig,
    RetrieveConfig,
    ScoreConfig,
)
from rotnet.data.manifest import Manifest
from rotnet.data.video import VideoSet
from rotnet.errors import DataError
from rotnet.evaluation.evaluate import evaluate as evaluate_network
from rotnet.evaluation.fuse import fuse as fuse_scores
from rotnet.evaluation.held_out import score_held_out
from rotnet.evaluation.linear import linear as probe_network
from rotnet.evaluation.opened import open_network
from rotnet.evaluation.retrieval import retrieve
from rotnet.learning.company import Company
from rotnet.learning.finetune import finetune as finetune_network
from rotnet.learning.lessons import pretraining_videos
from rotnet.learning.pretrain import pretrain as pretrain_network
from rotnet.learning.watch import Watch
from rotnet.models.net import VideoNet

Data = Sequence[tuple[DataRef, Path]]
Side = Literal["pretrain", "train", "test"]


def pretrain(
    config: PretrainConfig,
    inputs: Mapping[str, Path],  # noqa: ARG001  (all kinds are called alike)
    data: Data,
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Pretrain a network on one data set; what it attends to is shown in videos held out."""
    videos = _videos(data, "pretrain")
    metrics = pretrain_network(config, videos, folder, watch)
    if Company.here().leads:
        _, held_out = pretraining_videos(config, videos.videos)
        judged = replace(videos, videos=held_out)
        leave_attention(lambda: open_network(folder), judged, config.runtime, folder)
    return metrics


def finetune(
    config: FinetuneConfig, inputs: Mapping[str, Path], data: Data, folder: Path, watch: Watch
) -> dict[str, float]:
    """Fine-tune the network of the input `init`, or the given weights, or one from scratch.

    Where videos are held out, their scores are left beside the network, so that a fusion can be
    fitted on them: by the default number of clips, whatever test videos are scored by.
    """
    videos = _videos(data, "train")
    metrics = finetune_network(config, videos, _init(inputs, data), folder, watch)
    if Company.here().leads:
        score_held_out(ScoreConfig(runtime=config.runtime), folder, videos, watch)
    return metrics


def evaluate(
    config: ScoreConfig, inputs: Mapping[str, Path], data: Data, folder: Path, watch: Watch
) -> dict[str, float]:
    """Score the network of the one input."""
    (network,) = inputs.values()
    videos = _videos(data, "test")
    metrics = evaluate_network(config, network, videos, folder, watch)
    leave_attention(lambda: open_network(network), videos, config.runtime, folder)
    return metrics


def linear(
    config: ProbeConfig, inputs: Mapping[str, Path], data: Data, folder: Path, watch: Watch
) -> dict[str, float]:
    """Probe the network of the input `init`, or the given weights, or a random one."""
    train, test, init = _videos(data, "train"), _videos(data, "test"), _init(inputs, data)
    look = _look(config, init, test, folder)
    return probe_network(config, init, train, test, folder, watch, look)


def retrieval(
    config: RetrieveConfig, inputs: Mapping[str, Path], data: Data, folder: Path, watch: Watch
) -> dict[str, float]:
    """Retrieve by the network of the input `init`, or the given weights, or a random one."""
    train, test, init = _videos(data, "train"), _videos(data, "test"), _init(inputs, data)
    return retrieve(config, init, train, test, folder, watch, _look(config, init, test, folder))


def fuse(
    config: FusionConfig,
    inputs: Mapping[str, Path],
    data: Data,  # noqa: ARG001
    folder: Path,
    watch: Watch,  # noqa: ARG001  (it takes a moment)
) -> dict[str, float]:
    """Join the scores of all inputs, by what those that stand for some say of held-out videos."""
    members = {name: path for name, path in inputs.items() if not is_held_out(name)}
    held_out = {
        name.removesuffix(HELD_OUT): path for name, path in inputs.items() if is_held_out(name)
    }
    return fuse_scores(config, members, folder, held_out)


def _look(
    config: FrozenConfig, init: Path | None, test: VideoSet, folder: Path
) -> Callable[[VideoNet], None]:
    """What shows a frozen network's attention once it has been measured."""

    def look(model: VideoNet) -> None:
        leave_attention(
            lambda: frozen_opened(config, model), test, config.runtime, folder, beside=bool(init)
        )

    return look


def _videos(data: Data, role: Side) -> VideoSet:
    """The rows that a stage is given in a role."""
    ((ref, folder),) = [one for one in data if one[0].role == role]
    manifest = Manifest.load(folder)
    _check_unchanged("data set", ref, folder, manifest.fingerprint)
    return manifest.select(role, ref.split)


def _init(inputs: Mapping[str, Path], data: Data) -> Path | None:
    """The folder of the network to start from; None: there is none."""
    for ref, folder in data:
        if ref.role == "weights":
            _check_unchanged("network", ref, folder, weights_fingerprint(folder))
            return folder
    return inputs.get("init")


def _check_unchanged(noun: str, ref: DataRef, folder: Path, now: str) -> None:
    if now != ref.fingerprint:
        raise DataError(
            f"{noun} {ref.name!r} in {folder} changed since the plan was made: its fingerprint "
            f"is {now[:12]}, not {ref.fingerprint[:12]}; run the study again"
        )
