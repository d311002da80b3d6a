"""How a stage is watched and stopped from outside: all that rotnet knows of who runs it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

StopWish = Literal["no", "at_checkpoint", "now"]


class Watch(Protocol):
    """What a stage function tells, and asks, while it works."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics of a step, counted from 1."""

    def saved(self, step: int, path: Path) -> None:
        """Learn that a whole checkpoint, good for continuing after `step`, lies at `path`."""

    def should_stop(self) -> StopWish:
        """Say whether to go on, to stop once the next checkpoint is written, or to stop at once."""


class Stopped(Exception):  # noqa: N818  it is no error: a wish was granted
    """A stage ended because its watch asked; called again, it continues from its checkpoint."""


class Unwatched:
    """A watch that hears everything and wants nothing."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Ignore the metrics."""

    def saved(self, step: int, path: Path) -> None:
        """Ignore the checkpoint."""

    def should_stop(self) -> StopWish:
        """Never stop."""
        return "no"
