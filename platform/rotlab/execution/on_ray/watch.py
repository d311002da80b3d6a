"""How a running stage is heard of, and stopped, from another process. No Ray."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rotlab.execution.conduct.message import Message, Point
from rotnet.learning.watch import StopWish

_LOG = logging.getLogger(__name__)
SEND_EVERY_S = 2.0
POLL_EVERY_S = 0.5
MAX_POINTS = 64
LOOK_EVERY_S = 10.0
LOOKS = 200  # of a stage; from then on they grow rarer as it grows older


class TrialWatch:
    """A watch that gathers steps, sends them seldom, and stops its stage when a file appears.

    Sending waits for the driver, so it is done at most every SEND_EVERY_S and at checkpoints. Where
    more than MAX_POINTS steps were made between, every other one is dropped, never the last.

    Args:
        send: takes a message.
        stop_file: whose presence is the wish to stop, at a checkpoint if it says so, else now.
        clock: seconds that never run backwards.
        sign: a file of the stage's own, whose presence is the wish that it stop at a checkpoint.
        gauges: tells how busy the machine is, by name; looked at seldom. None: nobody asks.
    """

    def __init__(
        self,
        send: Callable[[Message], None],
        stop_file: Path,
        clock: Callable[[], float] = time.monotonic,
        gauges: Callable[[], Mapping[str, float]] | None = None,
        sign: Path | None = None,
    ) -> None:
        self._send = send
        self._stop_file = stop_file
        self._sign = sign
        self.is_pruned = False  # the last wish was the sign's
        self._clock = clock
        self._points: list[Point] = []
        self._sent = clock()
        self._polled = float("-inf")
        self._wish: StopWish = "no"
        self._gauges = gauges
        self._looks: list[Point] = []
        self._looked, self._num_looks, self._began = clock(), 0, clock()

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics of a step."""
        values = {name: float(value) for name, value in metrics.items()}
        self._points.append(Point(step, time.time(), values))
        _LOG.info("step %d  %s", step, "  ".join(f"{k} {v:.4g}" for k, v in values.items()))
        if len(self._points) > MAX_POINTS:
            del self._points[-2::-2]
        if self._clock() - self._sent >= SEND_EVERY_S:
            self._flush()

    def saved(self, step: int, path: Path) -> None:  # noqa: ARG002  (the folder stays where it is)
        """Send what was gathered: the driver's knowledge and the checkpoint go together."""
        self._flush()

    def should_stop(self) -> StopWish:
        """Say what the driver asked for; "now" is its last word."""
        now = self._clock()
        if self._wish != "now" and now - self._polled >= POLL_EVERY_S:
            self._polled = now
            self._wish = self._asked()
            if now - self._looked >= max(LOOK_EVERY_S, (now - self._began) / LOOKS):
                self._look()
        return self._wish

    def take_points(self) -> tuple[Point, ...]:
        """Return what was gathered since it was last sent, and forget it."""
        points, self._points = tuple(self._points), []
        return points

    def take_gauges(self) -> tuple[Point, ...]:
        """Return what the gauges told since that was last sent, and forget it.

        A stage that is over before the first look is looked at now.
        """
        if self._num_looks == 0:
            self._look()
        looks, self._looks = tuple(self._looks), []
        return looks

    def _look(self) -> None:
        self._looked = self._clock()
        if self._gauges is not None:
            self._looks.append(Point(self._num_looks, time.time(), dict(self._gauges())))
            self._num_looks += 1

    def _flush(self) -> None:
        if self._points:
            points = self.take_points()
            self._send(Message("RUNNING", points, gauges=self.take_gauges()))
        self._sent = self._clock()

    def _asked(self) -> StopWish:
        try:
            text = self._stop_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            self.is_pruned = self._sign is not None and self._sign.exists()
            return "at_checkpoint" if self.is_pruned else "no"
        self.is_pruned = False
        return "at_checkpoint" if text == "at_checkpoint" else "now"
