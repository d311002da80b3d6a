"""Ctrl-C and SIGTERM: a wish to end soon and in order; after a few seconds, an end at once."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from rotlab.execution.conduct.conduct import Conduct

GRACE_S = 3.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


class Interrupt:
    """Holds the handlers of SIGINT and SIGTERM while it is entered. Main thread only.

    Until a run is aimed at, a signal raises KeyboardInterrupt. From then on the first asks the run
    and its workers to stop, and a second, or GRACE_S, raises it.
    """

    def __init__(self) -> None:
        self._conduct: Conduct | None = None
        self._stop_file: Path | None = None
        self._shielded = False
        self._is_late = False
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}

    def __enter__(self) -> Self:
        self._take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disarm()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._stop_file is not None:
            self._stop_file.unlink(missing_ok=True)

    def aim(self, conduct: Conduct, stop_file: Path) -> None:
        """Name the run that a signal is to stop. Takes the handlers again: Ray sets its own."""
        self._conduct, self._stop_file = conduct, stop_file
        self._take()

    def let_go(self) -> None:
        """Aim at no run: a signal raises KeyboardInterrupt again.

        Raises:
            KeyboardInterrupt: if a signal had asked the run to stop.
        """
        conduct, self._conduct = self._conduct, None
        if conduct is not None and conduct.stopping:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def shield(self) -> Iterator[None]:
        """Let a signal wait for the end of what must not be cut in two, such as Ray's start.

        Raises:
            KeyboardInterrupt: at the end, if a signal came and the run was not stopping anyway.
        """
        self._shielded, self._is_late = True, False
        try:
            yield
        finally:
            self._shielded = False
        if self._is_late and not (self._conduct is not None and self._conduct.stopping):
            raise KeyboardInterrupt

    def disarm(self) -> None:
        """Let no time run out any more."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _take(self) -> None:
        for number in self._before:
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Touch a flag and a file: a lock might be held by the code that was interrupted."""
        if self._shielded:
            self._is_late = True
            return
        if self._conduct is None or self._stop_file is None or self._conduct.stopping:
            raise KeyboardInterrupt
        self._conduct.stopping = True
        self._stop_file.write_text("now", encoding="utf-8")
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)
