"""How much work the stages of our kinds are: clips times the network's arithmetic. No torch.

What is not counted is reading and augmenting clips, which is taken to keep up with the network,
fitting linear probes, and the few hundred clips that give a random network its statistics.
"""

from collections.abc import Mapping, Sequence

from rotlab.planning.stage import Role, Stage
from rotlab.planning.work import Size, Work
from rotnet.config import (
    ClipConfig,
    EvaluateConfig,
    FinetuneConfig,
    FusionConfig,
    ModelConfig,
    PretextConfig,
    PretrainConfig,
    ProbeConfig,
    RetrieveConfig,
    ScoreConfig,
)
from rotnet.learning.schedule import steps_in_epoch
from rotnet.models.layers import Network, network

Sizes = Mapping[Role, Size]
NUMBER_BYTES = 4  # of a weight
_SCORE_BYTES = 16  # of a video and class: a probability and a logit
_VIDEO_BYTES = 200  # of a video's name, label and counts beside its scores


def pretrain_work(config: PretrainConfig, sizes: Sizes, behind: Sequence[Stage]) -> Work | None:
    """Return the work of a pretraining; None for a pretext or a backbone of another package."""
    del behind  # there is nothing
    training, size = config.pretrain, sizes["pretrain"]
    copies = _copies(config.pretext)
    if copies is None:
        return None
    net = _network(config.model, config.clip, _outputs(config.pretext))
    if net is None:
        return None
    held_out = round(size.videos * training.val_fraction)
    learnt = max(1, round((size.videos - held_out) * config.data.pretrain_fraction))
    steps = training.epochs * steps_in_epoch(training, learnt)
    shown = steps * training.batch_size * copies
    judged = training.epochs * held_out * copies
    like = (
        config.model,
        config.clip,
        config.modality,
        config.pretext.task,
        config.pretext.any_angle,
        config.pretext.resampled,
        training.batch_size * copies,
        training.precision,
    )
    return Work(
        amount=shown * net.training_flops() + judged * net.forward_flops,
        like=like,
        result_bytes=NUMBER_BYTES * net.weights,
        precision=training.precision,
    )


def finetune_work(config: FinetuneConfig, sizes: Sizes, behind: Sequence[Stage]) -> Work | None:
    """Return the work of a fine-tuning; None for a backbone of another package."""
    del behind  # a network is as dear whatever it starts from
    tuning, size = config.finetune, sizes["train"]
    net = _network(config.model, config.clip, size.classes)
    if net is None:
        return None
    held_out = round(size.videos * tuning.val_fraction) if tuning.final == "train" else 0
    learnt = max(1, size.videos - held_out)
    if tuning.shots is not None:
        learnt = min(learnt, tuning.shots * size.classes)
    shown = tuning.epochs * steps_in_epoch(tuning, learnt) * tuning.batch_size
    judged = held_out * (tuning.epochs + EvaluateConfig().clips)  # and scored once at the end
    like = (
        config.model,
        config.clip,
        config.modality,
        tuning.batch_size,
        tuning.freeze,
        tuning.precision,
    )
    return Work(
        amount=shown * net.training_flops(tuning.freeze) + judged * net.forward_flops,
        like=like,
        result_bytes=NUMBER_BYTES * net.weights + _score_bytes(held_out, size.classes),
        precision=tuning.precision,
    )


def evaluate_work(config: ScoreConfig, sizes: Sizes, behind: Sequence[Stage]) -> Work | None:
    """Return the work of scoring with the network just behind; None where that is not known."""
    tuned = behind[-1].config if behind else None
    if not isinstance(tuned, FinetuneConfig):
        return None
    size, scoring = sizes["test"], config.evaluate
    net = _network(tuned.model, tuned.clip, size.classes)
    if net is None:
        return None
    precision = tuned.finetune.precision
    return Work(
        amount=size.videos * scoring.clips * scoring.crops * net.forward_flops,
        like=(tuned.model, tuned.clip, tuned.modality, scoring.crops, precision),
        result_bytes=_score_bytes(size.videos, size.classes),
        precision=precision,
    )


def linear_work(config: ProbeConfig, sizes: Sizes, behind: Sequence[Stage]) -> Work | None:
    """Return the work of reading features; None for a backbone of another package."""
    del behind
    probing = config.linear
    like = (probing.pools, len(probing.l2))
    return _features_work(config, sizes, probing.clips, like)


def retrieval_work(config: RetrieveConfig, sizes: Sizes, behind: Sequence[Stage]) -> Work | None:
    """Return the work of reading features; None for a backbone of another package."""
    del behind
    return _features_work(config, sizes, config.retrieval.clips, ())


def fuse_work(config: FusionConfig, sizes: Sizes, behind: Sequence[Stage]) -> Work:
    """Return no work to speak of: scores are added up."""
    del behind
    size = sizes.get("test")
    result = _score_bytes(size.videos, size.classes) if size else 0
    return Work(amount=0, like=(config.fuse,), result_bytes=result)


def _features_work(
    config: ProbeConfig | RetrieveConfig, sizes: Sizes, clips: int, like: tuple[object, ...]
) -> Work | None:
    train, test = sizes["train"], sizes["test"]
    net = _network(config.model, config.clip, test.classes)
    if net is None:
        return None
    return Work(
        amount=(train.videos + test.videos) * clips * net.forward_flops,
        like=(config.model, config.clip, config.modality, *like),
        result_bytes=_score_bytes(test.videos, test.classes),
    )


def _copies(pretext: PretextConfig) -> int | None:
    """Views that a step makes of a clip; None for a task whose package alone knows."""
    if pretext.task == "pace":
        return len(pretext.paces)
    return pretext.copies if pretext.task == "rotation" else None


def _outputs(pretext: PretextConfig) -> int:
    return len(pretext.paces if pretext.task == "pace" else pretext.angles)


def _network(model: ModelConfig, clip: ClipConfig, num_outputs: int) -> Network | None:
    return network(model, clip.frames, clip.size, num_outputs)


def _score_bytes(videos: int, classes: int) -> int:
    return videos * (classes * _SCORE_BYTES + _VIDEO_BYTES)
