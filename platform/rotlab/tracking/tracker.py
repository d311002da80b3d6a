"""Events reach a study's journal at once and MLflow soon after; the driver does not wait."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from pydantic import BaseModel

from rotlab.planning.plan.plan import Plan
from rotlab.tracking.artifacts import Artifacts, Shelf
from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Journal
from rotlab.tracking.position import read_position

_LONG_LIFE_S = 60.0
_LONGEST_WAIT_S = 60.0
_DEATHS_AT_CLOSE = 3
_KILL_S = 5.0


class JournalOnly:
    """Stands where a tracker would, for a run beside the one that writes to MLflow."""

    problem: str | None = None

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def start(self) -> None:
        """Do nothing."""

    def record(self, event: Mapping[str, Any]) -> None:
        """Journal an event."""
        self.journal.append(event)

    def close(self, timeout_s: float = 0.0) -> int:  # noqa: ARG002  (called as a tracker is)
        """Return how many events could not be sent: none were to be."""
        return 0


class Tracker:
    """The one writer of a study to MLflow.

    The journal is the queue: a process of its own reads it from where it last got to, which is
    remembered beside it, and writes what it finds (`rotlab.tracking.writer`). So this process
    neither loads MLflow nor shares its interpreter with it, memory is bounded, a server that is
    away costs nothing but delay, and a restart sends the rest. A writer that dies is started again;
    one whose driver dies sends what is there, soon, and ends.

    Args:
        plan: the study as it is planned now. Its configurations are of classes that can be
            imported.
        journal: of the study.
        uri: MLflow's tracking URI.
        artifact_root: where artifacts of a new experiment are to lie; None leaves that to MLflow.
        configs: stage kind -> what its settings are, for stages that are added to the plan.
        revision: of the plan; what another driver adds by another plan is not sent by this one.
        shelf: where results lie, whose files are to go to MLflow; None: no files go.
        artifacts: which of them.
    """

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        uri: str,
        artifact_root: str | None = None,
        revision: int | None = None,
        configs: Mapping[str, type[BaseModel]] | None = None,
        shelf: Shelf | None = None,
        artifacts: Artifacts = "small",
    ) -> None:
        self._journal = journal
        self._errand = Errand(
            plan,
            journal.path,
            uri,
            artifact_root,
            revision,
            configs or {},
            journal.size(),
            shelf,
            artifacts,
        )
        self._keeper = threading.Thread(target=self._keep, name="tracking", daemon=True)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._given_up = False
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: IO[bytes] | None = None
        self._problem: str | None = None

    @property
    def journal(self) -> Journal:
        """Where events go first."""
        return self._journal

    @property
    def problem(self) -> str | None:
        """Why MLflow does not take what it is sent, in one line; None while it does."""
        return self._problem

    def start(self) -> None:
        """Begin to send, in the background. What an earlier process could not send goes first."""
        self._journal.path.parent.mkdir(parents=True, exist_ok=True)
        self._keeper.start()

    def record(self, event: Mapping[str, Any]) -> None:
        """Journal an event; it is on its way to MLflow when this returns, not necessarily there."""
        self._journal.append(event)

    def close(self, timeout_s: float = 30.0) -> int:
        """Send what is left, for at most so long, and return how many events could not be sent.

        Those stay in the journal and are sent at the next start. The journal itself is left open.
        """
        self._closing.set()
        with self._lock:
            self._ask_to_close()
        if self._keeper.is_alive():
            self._keeper.join(timeout_s)
        with self._lock:
            self._given_up = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
        if self._keeper.is_alive():
            self._keeper.join(_KILL_S)
        sent = read_position(self._journal.path, self._errand.uri, self._journal.size())
        return len(self._journal.read_from(sent))

    def _keep(self) -> None:
        """Have a writer as long as one is needed."""
        deaths = 0
        with tempfile.TemporaryFile() as errand:
            pickle.dump(self._errand, errand)
            errand.flush()
            while True:
                began = time.monotonic()
                status = self._attend(errand)
                if status == 0 or self._given_up:
                    return
                deaths = 1 if time.monotonic() - began > _LONG_LIFE_S else deaths + 1
                if self._closing.is_set() and deaths >= _DEATHS_AT_CLOSE:
                    return
                self._closing.wait(min(2.0 ** (deaths - 2), _LONGEST_WAIT_S) if deaths > 1 else 0)

    def _attend(self, errand: IO[bytes]) -> int:
        """Start a writer, hear what it says until it ends, and return its exit status."""
        with tempfile.TemporaryFile() as errors:
            try:
                process = self._spawn(errand, errors)
            except OSError as error:
                self._problem = f"no process can be started to write to it: {error}"
                return 1
            if process is None:
                return 0
            assert process.stdout is not None  # noqa: S101  (it was asked for)
            with process.stdout as said:
                for line in said:
                    self._problem = json.loads(line)
            status = process.wait()
            with self._lock:
                self._forget_orders()
            if status and not self._given_up:
                self._problem = f"the process that writes to it ended {_how(status, errors)}"
            return status

    def _spawn(self, errand: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes] | None:
        """Start a writer, in a session of its own: a Ctrl-C at the terminal is not meant for it."""
        errand.seek(0)
        ours, theirs = None, None
        with self._lock:
            if self._given_up:
                return None
            theirs, ours = os.pipe()
            self._orders = os.fdopen(ours, "wb", buffering=0)
            try:
                self._process = subprocess.Popen(  # noqa: S603  (our own module)
                    [sys.executable, "-P", "-m", "rotlab.tracking.writer", str(theirs)],
                    stdin=errand,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    pass_fds=(theirs,),
                    start_new_session=True,
                    env={**os.environ, "PYTHONPATH": _path()},
                )
            except OSError:
                self._forget_orders()
                raise
            finally:
                os.close(theirs)
            if self._closing.is_set():
                self._ask_to_close()
            return self._process

    def _ask_to_close(self) -> None:
        if self._orders is not None:
            try:
                self._orders.write(b"close\n")
            except OSError:  # it has just died; the next one is asked
                return

    def _forget_orders(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None


def _path() -> str:
    """Where this process finds modules, the classes of the plan's configurations among them."""
    return os.pathsep.join(os.path.abspath(each) for each in sys.path)  # noqa: PTH100


def _how(status: int, errors: IO[bytes]) -> str:
    """Tell an exit status, and the last line that was said."""
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()
    by = f"by signal {-status}" if status < 0 else f"with status {status}"
    return f"{by}: {said[-1]}" if said else by
