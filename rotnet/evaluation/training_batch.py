"""A batch of a training, made as the training makes it: what a network is shown, and told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from rotnet.config import ClipConfig, FinetuneConfig, PretrainConfig, TrainConfig
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.video import Video, VideoSet
from rotnet.learning.lessons import (
    action_lesson,
    finetuning_videos,
    pretext_lesson,
    pretraining_videos,
)
from rotnet.pretexts.pretext import make_pretext


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """Views as a network is given them, and what it is to say of them.

    Args:
        inputs: (B * copies, 3, T, H, W), the views of a clip side by side.
        labels: what each view is told to be, B * copies words.
        videos: the clips' videos, B paths.
        copies: views of a clip.
    """

    inputs: Tensor
    labels: tuple[str, ...]
    videos: tuple[str, ...]
    copies: int

    def __repr__(self) -> str:
        """Shapes, not data."""
        return f"TrainingBatch({tuple(self.inputs.shape)}, {self.copies} views of a clip)"


def pretraining_batch(config: PretrainConfig, videos: VideoSet, number: int) -> TrainingBatch:
    """Return a batch of a pretraining, as `rotnet.learning.pretrain` makes it.

    Args:
        config: all settings.
        videos: that the pretraining is given; what it holds out or leaves aside is so here.
        number: of the step, from 0.

    Raises:
        DataError: if no video is usable.
    """
    pretext = make_pretext(config)
    learnt, _ = pretraining_videos(config, videos.videos)
    loader, batch = _read(config, videos, learnt, config.pretrain, pretext.read, number)
    inputs, targets = pretext_lesson(config, pretext, batch)
    unit = "°" if config.pretext.task == "rotation" else ""
    labels = [f"{pretext.names[target]}{unit}" for target in targets.tolist()]
    return _named(inputs, labels, loader, batch, pretext.copies)


def finetuning_batch(config: FinetuneConfig, videos: VideoSet, number: int) -> TrainingBatch:
    """Return a batch of a fine-tuning, as `rotnet.learning.finetune` makes it.

    Args:
        config: all settings.
        videos: that the fine-tuning is given; what it holds out or leaves aside is so here.
        number: of the step, from 0.

    Raises:
        DataError: if no video is usable.
    """
    learnt, _ = finetuning_videos(config, videos.videos)
    loader, batch = _read(config, videos, learnt, config.finetune, config.clip, number)
    inputs, classes = action_lesson(config, batch)
    labels = [videos.classes[label] for label in classes.tolist()]
    return _named(inputs, labels, loader, batch, copies=1)


def _read(
    config: PretrainConfig | FinetuneConfig,
    videos: VideoSet,
    learnt: Sequence[Video],
    training: TrainConfig,
    clip: ClipConfig,
    number: int,
) -> tuple[ClipLoader, Batch]:
    loader = ClipLoader(replace(videos, videos=tuple(learnt)), clip, config.modality, workers=0)
    batches = loader.training(
        batch_size=training.batch_size, seed=config.seed, flip=config.views.flip, first=number
    )
    return loader, next(batches)


def _named(
    inputs: Tensor, labels: Sequence[str], loader: ClipLoader, batch: Batch, copies: int
) -> TrainingBatch:
    paths = tuple(loader.videos[index].path for index in batch.videos.tolist())
    return TrainingBatch(inputs, tuple(labels), paths, copies)
