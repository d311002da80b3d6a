"""How long the stages of a study took, by kind. No clock."""

import math
from collections.abc import Mapping, Sequence


class Durations:
    """Remembers seconds."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}
        self._longest: dict[str, float] = {}

    @property
    def all(self) -> Mapping[str, Sequence[float]]:
        """Kind -> what its stages took, in the order of their ends."""
        return self._seconds

    def took(self, kind: str, seconds: float) -> None:
        """Take note of a stage that has ended."""
        self._seconds.setdefault(kind, []).append(seconds)
        self._longest[kind] = max(seconds, self._longest.get(kind, 0.0))

    def longest(self, kind: str) -> float:
        """Return the most that a stage of the kind took; infinite where none has ended."""
        return self._longest.get(kind, math.inf)
