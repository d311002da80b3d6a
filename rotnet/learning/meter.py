"""The parts of a training step, and who hears that one begins."""

from typing import Literal, Protocol, get_args

Part = Literal["load", "transfer", "views", "forward", "backward", "optimiser", "idle"]
PARTS: tuple[Part, ...] = get_args(Part)


class Meter(Protocol):
    """What a training tells of the parts of its steps."""

    def enter(self, part: Part) -> None:
        """Learn that a part begins, and the one before it ends.

        A step begins with "load", the wait for a batch, and ends with "idle": reports, checkpoints,
        whoever watches.
        """


class Unmetered:
    """A meter that measures nothing."""

    def enter(self, part: Part) -> None:
        """Ignore the part."""
