"""How rotnet's stage kinds are run: their inputs and data become what its functions take."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rotlab.planning.stage import DataRef
from rotnet.config import FinetuneConfig, FusionConfig, PretrainConfig, ScoreConfig
from rotnet.data.manifest import Manifest, VideoSet
from rotnet.errors import DataError
from rotnet.evaluation.evaluate import evaluate as evaluate_network
from rotnet.evaluation.fuse import fuse as fuse_scores
from rotnet.learning.finetune import finetune as finetune_network
from rotnet.learning.pretrain import pretrain as pretrain_network
from rotnet.learning.watch import Watch

Data = Sequence[tuple[DataRef, Path]]


def pretrain(
    config: PretrainConfig,
    inputs: Mapping[str, Path],  # noqa: ARG001  (all kinds are called alike)
    data: Data,
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Pretrain a network on one data set."""
    return pretrain_network(config, _only_videos(data), folder, watch)


def finetune(
    config: FinetuneConfig, inputs: Mapping[str, Path], data: Data, folder: Path, watch: Watch
) -> dict[str, float]:
    """Fine-tune the network of the input `init`, or one from scratch where there is none."""
    return finetune_network(config, _only_videos(data), inputs.get("init"), folder, watch)


def evaluate(
    config: ScoreConfig, inputs: Mapping[str, Path], data: Data, folder: Path, watch: Watch
) -> dict[str, float]:
    """Score the network of the one input."""
    (network,) = inputs.values()
    return evaluate_network(config, network, _only_videos(data), folder, watch)


def fuse(
    config: FusionConfig,
    inputs: Mapping[str, Path],
    data: Data,  # noqa: ARG001
    folder: Path,
    watch: Watch,  # noqa: ARG001  (it takes a moment)
) -> dict[str, float]:
    """Join the scores of all inputs."""
    return fuse_scores(config, inputs, folder)


def _only_videos(data: Data) -> VideoSet:
    ((ref, folder),) = data
    manifest = Manifest.load(folder)
    if manifest.fingerprint != ref.fingerprint:
        raise DataError(
            f"data set {ref.name!r} in {folder} changed since the plan was made: its fingerprint "
            f"is {manifest.fingerprint[:12]}, not {ref.fingerprint[:12]}; run the study again"
        )
    return manifest.select(ref.role, ref.split)
