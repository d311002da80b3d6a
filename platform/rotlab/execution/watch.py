"""How a running stage is heard of, and stopped, from another process. No Ray."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rotlab.execution.message import Message, Point
from rotnet.learning.watch import StopWish

SEND_EVERY_S = 2.0
POLL_EVERY_S = 0.5
MAX_POINTS = 64


class TrialWatch:
    """A watch that gathers steps, sends them seldom, and stops its stage when a file appears.

    Sending waits for the driver, so it is done at most every SEND_EVERY_S and at checkpoints. Where
    more than MAX_POINTS steps were made between, every other one is dropped, never the last.

    Args:
        send: takes a message.
        stop_file: whose presence is the wish to stop.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        send: Callable[[Message], None],
        stop_file: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._stop_file = stop_file
        self._clock = clock
        self._points: list[Point] = []
        self._sent = clock()
        self._polled = float("-inf")
        self._stop = False

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics of a step."""
        values = {name: float(value) for name, value in metrics.items()}
        self._points.append(Point(step, time.time(), values))
        if len(self._points) > MAX_POINTS:
            del self._points[-2::-2]
        if self._clock() - self._sent >= SEND_EVERY_S:
            self._flush()

    def saved(self, step: int, path: Path) -> None:  # noqa: ARG002  (the folder stays where it is)
        """Send what was gathered: the driver's knowledge and the checkpoint go together."""
        self._flush()

    def should_stop(self) -> StopWish:
        """Say "now" once the driver asked for it."""
        now = self._clock()
        if not self._stop and now - self._polled >= POLL_EVERY_S:
            self._polled = now
            self._stop = self._stop_file.exists()
        return "now" if self._stop else "no"

    def take_points(self) -> tuple[Point, ...]:
        """Return what was gathered since it was last sent, and forget it."""
        points, self._points = tuple(self._points), []
        return points

    def _flush(self) -> None:
        if self._points:
            self._send(Message("RUNNING", self.take_points()))
        self._sent = self._clock()
