"""A study while parts of what runs it are killed, one after the other, until it ends."""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.chaos.nodes import LOG, Nodes
from tests.chaos.points import forget, halted, order
from tests.rotlab.execution.processes import descendants, is_alive, kill, wait_until

GONE_S = 30.0  # whatever a killed process has left behind ends within this
_COMES_S = 600.0
Victim = Literal["worker", "node", "driver", "writer"]


@dataclass(frozen=True)
class Strike:
    """Something to be killed, and the point at which something stands still then.

    Args:
        point: of `tests.chaos.points.POINTS`.
        victim: a worker process; the node that it is on; the driver; the process that writes to
            MLflow.
    """

    point: str
    victim: Victim


def all_strikes(times: int, seed: int) -> list[Strike]:
    """Return every victim at every point where that tells something, so often, by chance in order.

    Those at checkpoints come first: later there are none left.
    """
    strikes = [
        Strike(point, victim)
        for point in ("checkpoint", "commit", "record")
        for victim in ("worker", "node", "driver")
    ]
    strikes += [Strike("run", "driver"), Strike("run", "writer")]
    strikes *= times
    random.Random(seed).shuffle(strikes)  # noqa: S311  (no secret)
    return sorted(strikes, key=lambda strike: strike.point != "checkpoint")


@dataclass
class Storm:
    """A study, and what is to happen to it.

    Args:
        command: of a driver; started again whenever one was killed.
        folder: where orders to halt are given, and what drivers say is kept.
        nodes: the cluster.
        done: returns how many stages have a record.
        total: stages of the study.
        strikes: in their order.
    """

    command: Sequence[str]
    folder: Path
    nodes: Nodes
    done: Callable[[], int]
    total: int
    strikes: Sequence[Strike]

    def run(self) -> None:
        """Run the study to its end.

        Raises:
            AssertionError: if a driver ends otherwise than it should, nobody comes to a point, or a
                process outlives by GONE_S what it belongs to.
        """
        self._began, self._drivers = time.monotonic(), 0
        driver = self._drive()
        try:
            for number, strike in enumerate(self.strikes):
                due = number * self.total // (len(self.strikes) + 1)
                self._await(driver, lambda: self._is_due(strike, due))  # noqa: B023  (used at once)
                if strike.victim == "writer" and number + 1 < len(self.strikes):
                    # It starts late on a busy machine: stages are not to be over by then.
                    order(self.folder, self.strikes[number + 1].point)
                if self._strike(strike, driver):
                    driver = self._drive()
            self._await(driver, lambda: driver.poll() is not None, ends=True)
        finally:
            kill(driver.pid, *descendants(driver.pid))
        self._say(f"the last of {self._drivers} drivers has ended")
        wait_until(lambda: not self.nodes.workers(), GONE_S)

    def _drive(self) -> subprocess.Popen[bytes]:
        self._drivers += 1
        with (self.folder / f"driver-{self._drivers}.log").open("wb") as out:
            return subprocess.Popen(  # noqa: S603  (our own command)
                self.command,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self.nodes.env,
                start_new_session=True,
            )

    def _is_due(self, strike: Strike, due: int) -> bool:
        """Whether so many stages are done, or somebody stands where the strike waits for one."""
        return self.done() >= due or halted(self.folder, strike.point) is not None

    def _is_ordered(self, strike: Strike) -> bool:
        return (self.folder / strike.point).exists() or halted(
            self.folder, strike.point
        ) is not None

    def _strike(self, strike: Strike, driver: subprocess.Popen[bytes]) -> bool:
        """Kill what is to be killed; return whether it was the driver."""
        if not self._is_ordered(strike):
            order(self.folder, strike.point)
        self._await(driver, lambda: halted(self.folder, strike.point) is not None)
        at = halted(self.folder, strike.point)
        assert at is not None
        forget(self.folder, strike.point)
        with _standing(at):
            told = f"at {strike.point}, {self.done()} of {self.total} done: {strike.victim}"
            if strike.victim == "driver":
                below = descendants(driver.pid)
                driver.kill()
                driver.wait()
                self._say(f"{told} killed, process {driver.pid}")
            elif strike.victim == "node":
                self._say(f"{told} killed, {self.nodes.lose(at)} processes, for that of {at}")
            else:
                kill(at)
                self._say(f"{told} killed, process {at}")
        if strike.victim != "driver":
            return False
        wait_until(lambda: not any(is_alive(pid) for pid in (at, *below)), GONE_S)
        return True

    def _await(
        self, driver: subprocess.Popen[bytes], condition: Callable[[], bool], *, ends: bool = False
    ) -> None:
        """Wait for something, while a driver goes on, or ends as it should."""

        def is_over() -> bool:
            self.nodes.tend()
            return driver.poll() is not None or condition()

        wait_until(is_over, _COMES_S)
        status = driver.poll()
        if status is not None and (status != 0 or not ends):
            said = (self.folder / f"driver-{self._drivers}.log").read_text()
            raise AssertionError(f"a driver ended by itself with {status}:\n{said[-3000:]}")

    def _say(self, words: str) -> None:
        LOG.info("%6.1f s  %s", time.monotonic() - self._began, words)


@contextlib.contextmanager
def _standing(pid: int) -> Iterator[None]:
    """Hold what comes to a point; it goes on afterwards, if it is there still."""
    yield
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
