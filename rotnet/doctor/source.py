"""Where clips to probe with come from: noise, constants, and the videos of a prepared set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from rotnet.config import ClipConfig, PretrainConfig
from rotnet.data.loader import Batch, ClipLoader
from rotnet.data.video import VideoSet
from rotnet.doctor.noise import constant_clips, isotropic_clips
from rotnet.views.chance import generator

Part = Literal["train", "test"]
CHUNK = 32  # clips at a time


class Source(Protocol):
    """Gives clips to learn from and others to be judged on."""

    def batches(self, part: Part, clips: int) -> Iterator[Batch]:
        """Yield batches that hold `clips` clips in all."""


@dataclass(frozen=True)
class Made:
    """Clips that are made here, each a video of its own.

    Args:
        make: (count, generator) -> clips (count, T or T + 1, S, S, 3) uint8.
        frames: T, what a network sees of a clip.
        seed: equal seeds give equal clips.
    """

    make: Callable[[int, torch.Generator], Tensor]
    frames: int
    seed: int

    def batches(self, part: Part, clips: int) -> Iterator[Batch]:
        """Yield `clips` of them; those to learn from and those to judge on differ."""
        chance = generator(self.seed, f"doctor, content, {part}", 0)
        for first in range(0, clips, CHUNK):
            count = min(CHUNK, clips - first)
            made = self.make(count, chance)
            yield Batch(
                clips=made,
                videos=torch.arange(first, first + count),
                labels=torch.full((count,), -1),
                seams=torch.zeros((count, self.frames), dtype=torch.bool),
                number=first // CHUNK,
            )


def noise(config: PretrainConfig, side: int) -> Made:
    """Return isotropic noise, in squares of `side` pixels."""
    frames = _shown(config)
    return Made(
        lambda count, draw: isotropic_clips(count, frames, side, side, draw),
        config.clip.frames,
        config.seed,
    )


def constants(config: PretrainConfig, side: int) -> Made:
    """Return clips of one colour each."""
    frames = _shown(config)
    return Made(
        lambda count, draw: constant_clips(count, frames, side, draw),
        config.clip.frames,
        config.seed,
    )


def _shown(config: PretrainConfig) -> int:
    return config.clip.frames + (config.modality == "dif")


@dataclass(frozen=True)
class Filmed:
    """Clips of a prepared set, at random places of each video, as training draws them.

    Args:
        train: videos to learn from.
        test: others, to judge on.
        config: of the pretraining.
        read: what the loader reads: the pretext's.
        secretly_turned: whether each clip is first turned by a quarter turn that nobody is told, so
            that its law is the same under all of them.
    """

    train: VideoSet
    test: VideoSet
    config: PretrainConfig
    read: ClipConfig
    secretly_turned: bool

    def batches(self, part: Part, clips: int) -> Iterator[Batch]:
        """Yield clips of the part's videos, all of them equally often."""
        config = self.config
        videos = self.train if part == "train" else self.test
        loader = ClipLoader(videos, self.read, config.modality, workers=1)
        read = loader.training(batch_size=CHUNK, seed=config.seed, flip=config.views.flip, first=0)
        chance = generator(config.seed, f"doctor, secret turns, {part}", 0)
        for first, batch in zip(range(0, clips, CHUNK), read, strict=False):
            count = min(CHUNK, clips - first)
            taken = batch.clips[:count]
            if self.secretly_turned:
                turns = torch.randint(4, (count,), generator=chance).tolist()
                turned = [clip.rot90(k, (1, 2)) for clip, k in zip(taken, turns, strict=True)]
                taken = torch.stack(turned)
            yield Batch(
                clips=taken,
                videos=batch.videos[:count],
                labels=batch.labels[:count],
                seams=batch.seams[:count],
                number=batch.number,
            )
