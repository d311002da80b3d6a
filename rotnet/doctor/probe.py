"""The two probes on one question: how often each is right about views it has not learnt from."""

from dataclasses import dataclass, replace
from typing import Literal

import torch

from rotnet.doctor.interval import Estimate, clustered
from rotnet.doctor.labelling import Question
from rotnet.doctor.linear import Logistic
from rotnet.doctor.network import Convolutional
from rotnet.doctor.sample import Sample

MARGIN = 0.03  # above chance: what a path may tell at most, and a planted leak must tell at least
SURELY = 3.3  # standard errors above chance, where chance gets once in 2,000 readings

ProbeName = Literal["linear", "cnn"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one probe made of one question."""

    probe: ProbeName
    question: str
    chance: float
    estimate: Estimate

    def pooled(self, other: "Reading") -> "Reading":
        """Take another reading of the same question, of other videos, together with this one."""
        return replace(self, estimate=self.estimate.pooled(other.estimate))

    @property
    def at_chance(self) -> bool:
        """Whether the upper 95 % bound lies below chance + 3 points."""
        return self.estimate.upper < self.chance + MARGIN

    @property
    def told(self) -> bool:
        """Whether it is neither at chance nor, but once in 2,000 times, there by chance."""
        surely = self.chance + SURELY * self.estimate.error
        return not self.at_chance and self.estimate.share > surely

    @property
    def found(self) -> bool:
        """Whether the lower 95 % bound lies above chance + 3 points."""
        return self.estimate.lower > self.chance + MARGIN


def read(
    train: Sample,
    test: Sample,
    question: Question,
    *,
    seed: int,
    device: torch.device,
    probes: tuple[ProbeName, ...] = ("linear", "cnn"),
) -> list[Reading]:
    """Return what the probes, taught on one sample, make of another.

    Args:
        train: to learn from.
        test: to judge on; no video of it is in `train`.
        question: what is asked of the angle.
        seed: of the convolutional probe.
        device: where that learns.
        probes: which of them.
    """
    asked, answer = question.of(train.degrees), question.of(test.degrees)
    found = []
    for probe in probes:
        if probe == "linear":
            said = Logistic(train.features, asked, question.num_classes).predict(test.features)
        else:
            network = Convolutional(
                train.pictures, asked, question.num_classes, seed=seed, device=device
            )
            said = network.predict(test.pictures)
        estimate = clustered(said == answer, test.videos)
        found.append(Reading(probe, question.name, question.chance, estimate))
    return found
