"""A stage that is only tried is stopped on its way once, and has to go on from its checkpoint."""

from collections.abc import Mapping
from pathlib import Path

from rotnet.learning.watch import StopWish, Watch

STEPS = 2  # questions whether to stop, at the last of which the answer is yes


class NotContinuedError(Exception):
    """A stage that was stopped at a checkpoint did not go on from there."""


class Halfway:
    """A watch that asks a stage to stop at a checkpoint, once, and passes every call on.

    A stage that looks for no checkpoint, as one that scores, is not stopped.

    Args:
        watch: that is called in turn.
        note: file, not there at first, that says after which step the stage was asked to stop.
    """

    def __init__(self, watch: Watch, note: Path) -> None:
        self._watch, self._note = watch, note
        self._goes_on_from = int(note.read_text()) if note.exists() else None
        self._asked, self._saved = 0, 0
        self._is_to_stop = False

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Pass a step on.

        Raises:
            NotContinuedError: if it comes before the checkpoint that the stage had been stopped at.
        """
        if self._goes_on_from is not None and step <= self._goes_on_from:
            raise NotContinuedError(
                f"stopped at its checkpoint of step {self._goes_on_from}, it did not go on from "
                f"there: it did step {step} again"
            )
        self._watch.report(step, metrics)

    def saved(self, step: int, path: Path) -> None:
        """Pass on that a checkpoint was written."""
        self._watch.saved(step, path)
        self._saved = step
        if self._is_to_stop:
            self._note.write_text(f"{step}")

    def should_stop(self) -> StopWish:
        """Pass the question on; where the answer is no, ask to stop at the second one."""
        wish = self._watch.should_stop()
        if wish != "no" or self._goes_on_from is not None:
            return wish
        self._asked += 1
        if self._asked < STEPS:
            return "no"
        if not self._is_to_stop:
            self._is_to_stop = True
            self._note.write_text(f"{self._saved}")
        return "at_checkpoint"
