"""What a probe is asked of an angle: a class of equal chance. Integers only; no pixels.

A set of few rotations is asked for the rotation itself. Of 360 degrees no probe of a few thousand
views can learn so many classes, so it is asked for bins of equal size, in three ways:

    quarter    which of four, 90 degrees wide and centred on the quarter turns: chance 1/4. What
               breaks the symmetry of the pixel grid tells it: borders, bars, logos, siting.
    lattice    the angle modulo 90 in six bins of 15 degrees, the first centred on 0: chance 1/6.
               What follows the pixel grid tells it: sharpness, direction of the spectrum.
    chosen     eight single degrees, by the same path with the same jitter: chance 1/8. What is
               there at single angles only, which bins would dilute, tells it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from rotnet.config import AngleSet, PretextConfig

# The views of a clip are told, or not, together by a probe that turns its answer with the picture,
# so that further ones add work and no proof.
VIEWS = 1

FEW = 16  # a set of at most so many rotations is asked for as it is
CHOSEN = (0, 1, 23, 45, 68, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class Question:
    """A class for every angle.

    Args:
        name: what it asks for.
        num_classes: K, all equally likely; chance is 1/K.
        of: degrees (N,) int64 -> classes (N,) int64.
    """

    name: str
    num_classes: int
    of: Callable[[Tensor], Tensor]

    @property
    def chance(self) -> float:
        """Share of right answers of one who knows nothing."""
        return 1 / self.num_classes


@dataclass(frozen=True, slots=True)
class Draw:
    """Views by one path, and all that is asked of them."""

    pretext: PretextConfig
    questions: tuple[Question, ...]


def draws_of(pretext: PretextConfig) -> tuple[Draw, ...]:
    """Return which views are to be drawn for a rotation set, and what is asked of them."""
    values = {**pretext.model_dump(), "views": VIEWS}
    if len(pretext.angles) <= FEW:
        single = PretextConfig.model_validate(values)
        return (Draw(single, (_itself(pretext.angles),)),)
    chosen = PretextConfig.model_validate(
        {
            **values,
            "rotations": AngleSet(angles=CHOSEN),
            "jitter": pretext.max_jitter if pretext.resampled else None,
        }
    )
    quarter = Question("quarter", 4, lambda degrees: (degrees + 45) // 90 % 4)
    lattice = Question("lattice", 6, lambda degrees: (degrees + 7) % 90 // 15)
    degrees = PretextConfig.model_validate(values)
    return Draw(degrees, (quarter, lattice)), Draw(chosen, (_itself(CHOSEN, "chosen"),))


def _itself(angles: tuple[int, ...], name: str = "rotation") -> Question:
    place = {angle: index for index, angle in enumerate(angles)}

    def of(degrees: Tensor) -> Tensor:
        return degrees.clone().apply_(lambda angle: place[int(angle)])

    return Question(name, len(angles), of)
