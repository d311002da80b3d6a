"""What an examination found, and what follows from it. Rules only; nothing is probed here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from rotnet.config import Modality
from rotnet.doctor.content import Content
from rotnet.doctor.interval import Estimate
from rotnet.doctor.probe import Reading

Verdict = Literal["clean", "leak", "probe too weak"]


@dataclass(frozen=True)
class Probed:
    """What the probes made of content without an up.

    Args:
        source: of the clips.
        look: what of them was looked at.
        readings: of both probes, on every question.
        required: whether it must be at chance; else it is reported.
        times: how often it was looked at, all drawn anew each time; readings are of all together.
    """

    source: str
    look: str
    readings: tuple[Reading, ...]
    required: bool
    times: int = 1

    def with_more(self, others: Iterable["Probed"]) -> "Probed":
        """Judge this together with what another time showed of it, if that is among `others`."""
        for other in others:
            if (other.source, other.look) == (self.source, self.look):
                pairs = zip(self.readings, other.readings, strict=True)
                readings = tuple(one.pooled(two) for one, two in pairs)
                return replace(self, readings=readings, times=self.times + other.times)
        return self

    @property
    def told(self) -> bool:
        """Whether it must be at chance, and is not."""
        return self.required and any(one.told for one in self.readings)

    @property
    def unsure(self) -> bool:
        """Whether it must be at chance, and the bounds leave it open."""
        return self.required and any(not one.at_chance and not one.told for one in self.readings)


@dataclass(frozen=True)
class Planted:
    """What the probes made of a leak that was planted.

    Args:
        name: of the leak.
        readings: of both probes, on every question.
        not_for: why it is no leak in this rotation set; "" where it is one.
    """

    name: str
    readings: tuple[Reading, ...]
    not_for: str

    @property
    def missed(self) -> bool:
        """Whether neither probe found it, where there is something to find."""
        return not self.not_for and not any(reading.found for reading in self.readings)


@dataclass(frozen=True)
class Examination:
    """All that was found of one rotation set.

    Args:
        rotations: as the settings name the set.
        path: "exact" or "resampled".
        modality: what the network sees.
        probed: content without an up.
        planted: leaks made on purpose.
        content: parts of real pictures; None where no videos were given.
        full: whether as much was looked at as a verdict of "clean" needs.
        seconds: that it took.
    """

    rotations: Any
    path: str
    modality: Modality
    probed: tuple[Probed, ...]
    planted: tuple[Planted, ...]
    content: Content | None
    full: bool
    seconds: float

    @property
    def leaks(self) -> list[str]:
        """Where something tells the rotation that must not."""
        found = [
            f"{probed.source} ({probed.look}): {reading.probe} tells {reading.question} at "
            f"{100 * reading.estimate.share:.1f} %, chance {100 * reading.chance:.1f} %"
            for probed in self.probed
            if probed.required
            for reading in probed.readings
            if reading.told
        ]
        return found + (self.content.flags if self.content else [])

    @property
    def missed(self) -> list[str]:
        """Planted leaks that no probe found."""
        return [planted.name for planted in self.planted if planted.missed]

    @property
    def unsure(self) -> list[str]:
        """Sources of which so few clips were looked at that the bounds leave it open."""
        return [f"{probed.source} ({probed.look})" for probed in self.probed if probed.unsure]

    @property
    def verdict(self) -> Verdict:
        """A leak where one was found; clean only where all that were planted were found as well."""
        if self.leaks:
            return "leak"
        return "probe too weak" if self.missed or self.unsure else "clean"

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "rotations": self.rotations,
            "path": self.path,
            "modality": self.modality,
            "verdict": self.verdict,
            "full": self.full,
            "leaks": self.leaks,
            "missed": self.missed,
            "unsure": self.unsure,
            "probed": [
                {
                    "source": probed.source,
                    "look": probed.look,
                    "required": probed.required,
                    "times": probed.times,
                    "readings": [_plain(reading) for reading in probed.readings],
                }
                for probed in self.probed
            ],
            "planted": [
                {
                    "leak": planted.name,
                    "not_for": planted.not_for,
                    "readings": [_plain(reading) for reading in planted.readings],
                }
                for planted in self.planted
            ],
            "content": _plain_content(self.content),
            "seconds": self.seconds,
        }


def _plain(reading: Reading) -> dict[str, Any]:
    return {
        "probe": reading.probe,
        "question": reading.question,
        "chance": reading.chance,
        **_numbers(reading.estimate),
    }


def _plain_content(content: Content | None) -> dict[str, Any] | None:
    if content is None:
        return None
    return {
        "question": content.question,
        "chance": content.chance,
        "parts": {name: _numbers(estimate) for name, estimate in content.parts.items()},
        "border_over_next_ring": _numbers(content.lead),
        "still_border": {
            "videos": content.stillness.videos,
            "still": content.stillness.still,
        },
        "flags": content.flags,
    }


def _numbers(estimate: Estimate) -> dict[str, float]:
    return {
        "share": estimate.share,
        "lower": estimate.lower,
        "upper": estimate.upper,
        "views": estimate.views,
        "videos": estimate.videos,
    }
