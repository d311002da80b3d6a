"""A stage's signs of life: every call of its watch is one; a stage without any is ended."""

import contextlib
import faulthandler
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from rotnet.learning.watch import StopWish, Watch

REARMS = 16  # signs of life closer together than this part of the limit are one


class Pulse:
    """A watch that notes when it was last called, and passes every call on.

    Between entering and leaving, a stage that has not called it for `limit_s` is hung: where all
    its threads are is written to `log`, and its process ends at once. That is done by a thread of
    the interpreter's own that needs no lock, so that it works in a process stuck in C code too.

    Args:
        watch: that is called in turn.
        limit_s: seconds without a sign of life; None sets no limit.
        log: gets the traceback of a hung stage.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        watch: Watch,
        limit_s: float | None,
        log: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watch, self._limit_s, self._clock = watch, limit_s, clock
        self._log = log
        self._file: TextIO | None = None
        self._last = clock()
        self._armed = float("-inf")
        self._asking_since: float | None = None

    def __enter__(self) -> Self:
        if self._limit_s is not None:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._log.open("a", encoding="utf-8")
        self._sign()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            faulthandler.cancel_dump_traceback_later()
            self._file.close()
            self._file = None

    def is_alive(self, patience_s: float) -> bool:
        """Say whether the stage is at work: not hung, nor long waiting for an answer.

        Args:
            patience_s: that the watch may take; whom it asks may stand still.
        """
        now, asking_since = self._clock(), self._asking_since
        if asking_since is not None and now - asking_since > patience_s:
            return False
        return self._limit_s is None or now - self._last <= self._limit_s

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Pass a step on."""
        with self._asking():
            self._watch.report(step, metrics)

    def saved(self, step: int, path: Path) -> None:
        """Pass on that a checkpoint was written."""
        with self._asking():
            self._watch.saved(step, path)

    def should_stop(self) -> StopWish:
        """Pass the question on."""
        with self._asking():
            return self._watch.should_stop()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        self._asking_since = self._clock()
        try:
            yield
        finally:
            self._asking_since = None
            self._sign()

    def _sign(self) -> None:
        self._last = self._clock()
        if self._file is None or self._limit_s is None:
            return
        if self._last - self._armed >= self._limit_s / REARMS:
            self._armed = self._last
            faulthandler.dump_traceback_later(self._limit_s, exit=True, file=self._file)
