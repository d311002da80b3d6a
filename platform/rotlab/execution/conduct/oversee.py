"""What a driver looks at now and then: limits, a wish to cancel, what workers are to be told."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from rotlab.execution.conduct.budget import Usage
from rotlab.execution.conduct.conduct import Conduct
from rotnet.learning.watch import StopWish

EVERY_S = 0.5
ASK_EVERY_S = 10.0  # what other runs have used


class Overseer:
    """Looks, when called, if it has not just looked.

    Args:
        conduct: the run.
        stop_file: that workers look for; what is in it is how they are to stop.
        cancel_file: whose presence is the wish to cancel the run.
        beside: returns what other runs of the study have used.
        near: told once of the limit that is nearly used up.
        stranded: told of stages that wait for nodes which do not come, each time that begins.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        conduct: Conduct,
        stop_file: Path,
        cancel_file: Path,
        beside: Callable[[], Usage],
        near: Callable[[str], None],
        stranded: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conduct, self._stop_file, self._cancel_file = conduct, stop_file, cancel_file
        self._beside, self._near, self._stranded, self._clock = beside, near, stranded, clock
        self._looked = self._asked = float("-inf")
        self._is_told = self._has_warned = self._are_stranded = False

    def look(self) -> None:
        """See whether the run is to end, and pass that on to the workers."""
        if self._clock() - self._looked < EVERY_S:
            return
        self._looked = self._clock()
        if self._looked - self._asked >= ASK_EVERY_S:
            self._asked = self._looked
            self._conduct.used_beside = self._beside()
            self._look_for_nodes()
        self._conduct.watch_limits()
        if self._conduct.is_near and not self._has_warned:
            self._has_warned = True
            self._near(self._conduct.is_near)
        if not self._conduct.stopping and self._cancel_file.exists():
            self._conduct.stopping = True
            self._ask("now")
        elif self._conduct.halted and not self._conduct.stopping and not self._is_told:
            self._is_told = True
            self._ask("at_checkpoint")

    def _look_for_nodes(self) -> None:
        words, before = self._conduct.stranded(), self._are_stranded
        self._are_stranded = bool(words)
        if words and not before:
            self._stranded(words)

    def _ask(self, wish: StopWish) -> None:
        with contextlib.suppress(OSError):  # on a full disk the file's presence is a wish
            self._stop_file.write_text(wish, encoding="utf-8")
