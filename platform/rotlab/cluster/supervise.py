"""A driver, run on a cluster's head and started again when it is lost.

python -m rotlab.cluster.supervise FILE ...     the words of `rotlab run`, less --address

First `rotlab doctor` looks at the head, store and MLflow: nothing is bought for a study that could
not keep its results. A driver that ends by a signal, or with a status that is none of ours, as one
that the system killed for its memory, is started again, and goes on from the last checkpoints.
Should the head be lost, this goes with it: the study is then submitted again.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

from rotlab.execution.on_ray.conclude import DONE, INCOMPLETE, INTERRUPTED

USER_ERROR = 2
_ENDS = (DONE, INCOMPLETE, USER_ERROR, INTERRUPTED)
_RESTARTS, _PAUSE_S = 5, 5.0
_STEADY_S = 600.0  # a driver that lived so long starts the count anew
_ROTLAB = (sys.executable, "-m", "rotlab.cli")


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at the head, then run a study to its end; return the driver's status."""
    parser = argparse.ArgumentParser(prog="rotlab.cluster.supervise", add_help=False)
    parser.add_argument("--store")
    parser.add_argument("--tracking-uri")
    given = list(sys.argv[1:] if arguments is None else arguments)
    # A job is told its own cluster; "auto" would take whichever Ray was started here last.
    address = os.environ["RAY_ADDRESS"]
    known, _ = parser.parse_known_args(given)
    pairs = (("--store", known.store), ("--tracking-uri", known.tracking_uri))
    about = [word for name, value in pairs if value for word in (name, value)]
    looked = subprocess.run([*_ROTLAB, "doctor", *about], check=False)  # noqa: S603  (our own)
    if looked.returncode != DONE:
        print("nothing was started: see what is bad, above", file=sys.stderr, flush=True)  # noqa: T201
        return USER_ERROR
    return keep_running([*_ROTLAB, "run", *given, "--address", address], _say)


def keep_running(
    command: Sequence[str],
    say: Callable[[str], None],
    *,
    pause_s: float = _PAUSE_S,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Run a command, and again for as long as it is lost; return its status.

    A wish to end (SIGTERM, SIGINT) is handed on, and is the end.

    Args:
        command: of the driver.
        say: takes a line for each time that it was lost.
        pause_s: seconds before it is started again.
        clock: seconds, from anywhere.
    """
    lost, wish = 0, _Wish()
    while True:
        began = clock()
        status = wish.run(command)
        if wish.is_there or status in _ENDS:
            return status if status >= 0 else INTERRUPTED
        lost = 1 if clock() - began > _STEADY_S else lost + 1
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        if lost > _RESTARTS:
            say(f"the driver was lost ({how}) {lost} times in a row: given up")
            return INCOMPLETE
        say(f"the driver was lost ({how}): started again, {lost} of {_RESTARTS}")
        time.sleep(pause_s)


class _Wish:
    """A wish to end, handed on to what runs."""

    def __init__(self) -> None:
        self.is_there = False

    def run(self, command: Sequence[str]) -> int:
        """Run a command to its end, and return its status."""
        with subprocess.Popen(command) as driver:  # noqa: S603  (our own words)

            def hand_on(number: int, _frame: FrameType | None) -> None:
                self.is_there = True
                driver.send_signal(number)

            before = {one: signal.signal(one, hand_on) for one in (signal.SIGTERM, signal.SIGINT)}
            try:
                return driver.wait()
            finally:
                for one, handler in before.items():
                    signal.signal(one, handler)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  (the job's log)


if __name__ == "__main__":
    sys.exit(main())
