"""An attempt with a checkpoint of its own, for which those of its predecessors make room."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from rotlab.store.files import flush_folder
from rotlab.store.trunk import read_origin
from rotnet.learning.watch import StopWish, Watch


class Succession:
    """A watch that passes every call on, and after the first checkpoint removes the earlier ones.

    Until then a checkpoint lies twice: with the attempt that wrote it, and as the copy from which
    this one goes on. The own one is on disk before any other goes. Left are those of attempts that
    began from other results, for this one may be unfit when they are not, and those written since
    this one began, whose attempt is at work.

    Args:
        watch: that is called in turn.
        folder: of the attempt, which has just been made.
    """

    def __init__(self, watch: Watch, folder: Path) -> None:
        self._watch, self._folder = watch, folder
        self._began_ns = folder.stat().st_mtime_ns  # by the clock that stamps the others' files
        self._has_saved = False

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Pass a step on."""
        self._watch.report(step, metrics)

    def saved(self, step: int, path: Path) -> None:
        """Pass on that a checkpoint was written."""
        self._watch.saved(step, path)
        if not self._has_saved and path.is_relative_to(self._folder):
            self._has_saved = True
            with contextlib.suppress(OSError):  # a commit sweeps what cannot be removed now
                self._remove_earlier(path)

    def should_stop(self) -> StopWish:
        """Pass the question on."""
        return self._watch.should_stop()

    def _remove_earlier(self, path: Path) -> None:
        flush_folder(path.parent)
        origin, name = read_origin(self._folder), path.relative_to(self._folder)
        for other in sorted(self._folder.parent.glob("[!.]*")):
            earlier = other / name
            if (
                other.name != self._folder.name
                and earlier.is_file()
                and earlier.stat().st_mtime_ns <= self._began_ns
                and read_origin(other) == origin
            ):
                earlier.unlink(missing_ok=True)
