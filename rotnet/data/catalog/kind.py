"""A way of reading a source: which files are videos, what is said of them, how they are split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from rotnet.data.video import Video

Side = Literal["train", "test", "unused"]
Sides = tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may become a video of the set.

    Args:
        path: relative to the source, with forward slashes.
        label: its class, or None.
        group: what must not be torn apart.
        sides: in each split, where the source itself says so; empty where it does not.
        refusal: why its name alone leaves it out, or empty.
    """

    path: str
    label: str | None
    group: str
    sides: Sides = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source holds.

    Args:
        candidates: by path.
        ignored: how many files are no videos.
        counts: what else was counted, such as listed videos that are missing.
        notes: what a reader of the set should know of its source.
    """

    candidates: tuple[Candidate, ...]
    ignored: int
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Splits:
    """Videos with their splits filled in, and why there are none where there are none."""

    videos: tuple[Video, ...]
    number: int
    note: str = ""


@runtime_checkable
class Kind(Protocol):
    """A way of reading a source; nothing is opened but lists.

    A package adds one by registering it, a value or a class that takes no arguments, as an entry
    point of the group `rotnet.datasets`; its name there becomes `rotnet prepare NAME SOURCE OUT`.
    """

    @property
    def name(self) -> str:
        """Return the word that stands for it in commands and headers."""

    @property
    def settings(self) -> dict[str, Any]:
        """Return all of it that can change the set."""

    def find(self, source: Path) -> Listing:
        """Return the videos of a source; raise DataError if its layout is not this kind's."""

    def split(self, videos: Sequence[Video], sides: Mapping[str, Sides]) -> Splits:
        """Deal kept videos into splits; `sides` holds what the source itself says, by path."""
