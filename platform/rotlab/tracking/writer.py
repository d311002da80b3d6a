"""The process that writes a study to MLflow: `python -m rotlab.tracking.writer DESCRIPTOR`.

Standard input holds the errand, pickled by the driver. A line goes to standard output whenever
another problem stands in the way, or none any more: JSON, text or null. DESCRIPTOR is the end of a
pipe whose other end the driver holds: a line there asks for an end once all is sent, and its end is
the end of the driver, which is followed within ORPHAN_S, with all sent if MLflow takes it.
"""

import contextlib
import json
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from rotlab.tracking.client import UNREACHABLE, reason
from rotlab.tracking.errand import Errand
from rotlab.tracking.sender import Sender
from rotlab.tracking.turn import taking_turn
from rotnet.errors import UserError

ORPHAN_S = 10.0
GATHER_S = 1.0  # what comes together is sent together
NICENESS = 5  # what stages compute goes before what is told of it
RESTARTS_S = 25.0  # less than the driver waits for this process
_LONGEST_WAIT_S = 60.0
_LAST_WAIT_S = 1.0
_LOCK_EVERY_S = 0.1

Say = Callable[[str | None], None]


class Orders:
    """What the driver wants, as one end of a pipe tells it.

    Args:
        pipe: the end to read from; None where no driver will ever ask for anything.
    """

    def __init__(self, pipe: IO[bytes] | None) -> None:
        self._pipe = pipe
        self._closing = threading.Event()
        self.is_orphan = False

    def listen(self) -> None:
        """Begin to listen, in the background."""
        threading.Thread(target=self._listen, name="orders", daemon=True).start()

    @property
    def closing(self) -> bool:
        """Whether this is to end once all is sent."""
        return self._closing.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep, at most until there is a wish to end."""
        self._closing.wait(seconds)

    def close(self) -> None:
        """Ask for an end once all is sent."""
        self._closing.set()

    def _listen(self) -> None:
        if self._pipe is None:
            return
        while self._pipe.readline():
            self._closing.set()
        self.is_orphan = True
        self._closing.set()
        threading.Event().wait(ORPHAN_S)
        os._exit(1)


def write(errand: Errand, orders: Orders, say: Say) -> None:
    """Send a study's journal to MLflow as it grows, until there is a wish to end.

    What cannot be sent is tried again, for as long as there is no such wish; the driver's death is
    one that allows for more tries, and so is any where MLflow has answered before: it may be about
    to start again.

    Args:
        errand: what is to be sent, and where to.
        orders: the wish to end.
        say: takes what stands in the way, None where nothing does any more.

    Raises:
        JournalError: if the journal is damaged.
    """
    with _alone(errand.journal, orders, say):
        sender, failures = Sender(errand), 0
        patience_s, asked = 0.0, float("inf")
        while True:
            closing = orders.closing
            asked = min(asked, time.monotonic()) if closing else asked
            try:
                sender.send()
            except Exception as error:  # noqa: BLE001  (or the rest would never be sent)
                failures += 1
                say(_one_line(error))
            else:
                failures, patience_s = 0, RESTARTS_S
                say(None)
            may_come = orders.is_orphan or time.monotonic() < asked + patience_s
            if closing and not (failures and may_come):
                return
            _wait(sender, orders, failures)


def _wait(sender: Sender, orders: Orders, failures: int) -> None:
    """Wait for something to do: for ever longer after failures in a row, else for events."""
    if failures and orders.closing:
        threading.Event().wait(_LAST_WAIT_S)
    elif failures:
        orders.wait(min(2.0 ** (failures - 1), _LONGEST_WAIT_S))
    else:
        orders.wait(GATHER_S)
        while not orders.closing and not sender.has_more:
            orders.wait(GATHER_S)


@contextlib.contextmanager
def _alone(journal: Path, orders: Orders, say: Say) -> Iterator[None]:
    """Hold the writing of a study, once it can be had."""
    while True:
        with taking_turn(journal) as other:
            if other is None:
                yield
                return
        say(f"process {other} is still writing the study to it")
        if orders.closing:
            threading.Event().wait(_LOCK_EVERY_S)
        else:
            orders.wait(_LOCK_EVERY_S)


def _one_line(error: Exception) -> str:
    said = reason(error)
    if isinstance(error, (*UNREACHABLE, UserError)):
        return said
    return f"{type(error).__name__}: {said}"


def _channel() -> Say:
    """Keep standard output for the driver: whatever else is printed goes where errors go."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    last: list[str | None] = [""]  # no problem, and none yet told to be gone

    def say(problem: str | None) -> None:
        if problem == last[0]:
            return
        last[0] = problem
        with contextlib.suppress(BrokenPipeError):  # the driver has died
            out.write(json.dumps(problem) + "\n")
            out.flush()

    return say


def main() -> None:
    """Do what standard input asks for."""
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a request sent twice may make two runs
    say = _channel()
    orders = Orders(os.fdopen(int(sys.argv[1]), "rb", buffering=0))
    orders.listen()
    errand: Errand = pickle.load(sys.stdin.buffer)  # noqa: S301  (made by the process that began this)
    try:
        write(errand, orders, say)
    except UserError as error:
        say(_one_line(error))


if __name__ == "__main__":
    main()
