"""What parts of real pictures tell of the rotation. Reported: only a border can be a fault."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from rotnet.doctor.border import Stillness
from rotnet.doctor.interval import Estimate, clustered
from rotnet.doctor.labelling import Question
from rotnet.doctor.network import Convolutional
from rotnet.doctor.regions import centre, colour, depths, high_pass, ring
from rotnet.doctor.sample import Sample

# By so much a border must beat the ring next to it, with 95 % confidence. A ring far inside is no
# measure: what is above and below in a scene is further apart at the border (the boards and the ice
# of a hockey rink: 60 % at a depth of 20 of 112 pixels, 66 % at 8, 72 % at the border, bars cut).
CLEARLY = 0.10


@dataclass(frozen=True)
class Content:
    """How often the convolutional probe tells the rotation from parts of the picture.

    Args:
        question: what was asked.
        chance: of it.
        parts: name -> how often it was right.
        lead: how much more often the border alone tells it than the equal ring next to it.
        stillness: of the set's borders.
    """

    question: str
    chance: float
    parts: Mapping[str, Estimate]
    lead: Estimate
    stillness: Stillness

    @property
    def flags(self) -> list[str]:
        """What is wrong with the border; nothing, if empty."""
        found = []
        if self.stillness.flagged:
            found.append(
                f"the border stands still in {self.stillness.still} of "
                f"{self.stillness.videos} videos while the picture moves"
            )
        if self.lead.lower > CLEARLY:
            found.append(
                f"the border alone tells {100 * self.lead.share:.0f} points more than an equal "
                "ring next to it"
            )
        return found


def parts_of(side: int) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return how to cut each part out of pictures (N, 3, F, H, H) whose sides are `side`."""
    width, following, inner = depths(side)
    return {
        "whole": lambda pictures: pictures,
        "colour": colour,
        "high-pass": high_pass,
        "centre": centre,
        "border": lambda pictures: ring(pictures, 0, width),
        "next ring": lambda pictures: ring(pictures, following, width),
        "inner ring": lambda pictures: ring(pictures, inner, width),
    }


def read_content(
    samples: Mapping[str, tuple[Sample, Sample]],
    question: Question,
    stillness: Stillness,
    *,
    seed: int,
    device: torch.device,
) -> Content:
    """Return what parts of pictures tell.

    Args:
        samples: "all" and "luma" -> views to learn from and views to judge on.
        question: what is asked of the angle.
        stillness: of the set's borders.
        seed: of the probe.
        device: where it learns.
    """
    hits: dict[str, Tensor] = {}

    def judge(name: str, train: Sample, test: Sample, cut: Callable[[Tensor], Tensor]) -> None:
        network = Convolutional(
            cut(train.pictures),
            question.of(train.degrees),
            question.num_classes,
            seed=seed,
            device=device,
        )
        hits[name] = network.predict(cut(test.pictures)) == question.of(test.degrees)

    train, test = samples["all"]
    for name, cut in parts_of(test.pictures.shape[-1]).items():
        judge(name, train, test, cut)
    judge("luma", *samples["luma"], lambda pictures: pictures)
    lead = hits["border"].double() - hits["next ring"].double()
    return Content(
        question=question.name,
        chance=question.chance,
        parts={name: clustered(right, test.videos) for name, right in hits.items()},
        lead=clustered(lead, test.videos),
        stillness=stillness,
    )
