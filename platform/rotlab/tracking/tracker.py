"""Events reach a study's journal at once and MLflow soon after; the driver does not wait."""

import json
import logging
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rotlab.planning.plan import Plan
from rotlab.tracking.client import UNREACHABLE
from rotlab.tracking.journal import Journal
from rotlab.tracking.ledger import Ledger, RunWrite
from rotlab.tracking.mlflow_runs import StudyRuns
from rotlab.tracking.uri import check_tracking_uri
from rotnet.errors import UserError

__all__ = ["Tracker", "check_tracking_uri"]

_LOG = logging.getLogger(__name__)
_BATCH_EVENTS = 2000
_GATHER_S = 1.0
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a batch of events asks for, and where in the journal the batch ends."""

    writes: tuple[RunWrite, ...]
    end: int


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

    The journal is the queue: a thread reads it from where it last got to, which is remembered
    beside it, and writes what it finds. So memory is bounded, a server that is away costs nothing
    but delay, and a restart sends the rest.

    Args:
        plan: the study as it is planned now.
        journal: of the study.
        uri: MLflow's tracking URI.
        artifact_root: where artifacts of a new experiment are to lie; None leaves that to MLflow.
    """

    def __init__(
        self, plan: Plan, journal: Journal, uri: str, artifact_root: str | None = None
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._uri = uri
        self._artifact_root = artifact_root
        self._position_file = journal.path.with_suffix(".sent")
        self._events = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)
        self._ledger = Ledger(plan)
        self._runs: StudyRuns | None = None
        self._position = 0
        self._taken: _Taken | None = None
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
        """Begin to send, in the background. What an earlier process could not send goes first.

        Raises:
            JournalError: if the journal is damaged.
        """
        past = self._journal.read_from(0)
        self._position = _read_position(self._position_file, self._uri, past[-1][1] if past else 0)
        self._ledger.take(event for event, end in past if end <= self._position)
        self._thread.start()

    def record(self, event: Mapping[str, Any]) -> None:
        """Journal an event; it is on its way to MLflow when this returns, not necessarily there."""
        self._journal.append(event)
        self._events.set()

    def close(self, timeout_s: float = 30.0) -> int:
        """Send what is left, for at most so long, and return how many events could not be sent.

        Those stay in the journal and are sent at the next start. The journal itself is left open.
        """
        self._closing.set()
        self._events.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return len(self._journal.read_from(self._position))

    def _run(self) -> None:
        failures = 0
        while True:
            closing = self._closing.is_set()
            self._events.clear()
            try:
                self._send_all()
            except Exception as error:  # noqa: BLE001  (or the thread would end without a word)
                self._runs = None  # what exists there is looked up anew
                self._problem = _one_line(error)
                if not isinstance(error, (*UNREACHABLE, UserError)):
                    self._problem = f"{type(error).__name__}: {self._problem}"
                _LOG.info("MLflow at %s: %s; will try again", self._uri, self._problem)
                failures += 1
            else:
                self._problem, failures = None, 0
            if closing:
                return
            if failures:
                self._closing.wait(min(2.0 ** (failures - 1), _LONGEST_WAIT_S))
            else:
                self._events.wait()
                self._closing.wait(_GATHER_S)  # what comes together is sent together

    def _send_all(self) -> None:
        """Send the journal from the position on, batch by batch, until nothing is left."""
        if self._runs is None:
            self._runs = StudyRuns(self._uri, self._plan.name, self._artifact_root)
            self._catch_up(self._runs)
        while self._taken is not None or self._take():
            self._settle(self._runs)

    def _take(self) -> bool:
        """Work out what the next events ask for, and say whether there were any."""
        batch = self._journal.read_from(self._position, _BATCH_EVENTS)
        if batch:
            self._taken = _Taken(
                tuple(self._ledger.take(event for event, _ in batch)), batch[-1][1]
            )
        return bool(batch)

    def _settle(self, runs: StudyRuns) -> None:
        """Write what was taken, then remember that; after a failure all is written again."""
        if self._taken is None:
            return
        self._write(runs, self._taken.writes)
        _write_position(self._position_file, self._uri, self._taken.end)
        self._position = self._taken.end
        self._taken = None

    def _catch_up(self, runs: StudyRuns) -> None:
        """Bring an MLflow that knows the study up to this plan; begin anew with one that does not.

        A plan that has grown can hold cells whose stages all ended before: no event will speak of
            them.
        """
        if self._position == 0:
            return
        study = self._ledger.study()
        if study.key not in runs:
            self._position, self._taken, self._ledger = 0, None, Ledger(self._plan)
            return
        runs.apply(study)
        self._write(
            runs, [cell for cell in self._ledger.decided_cells() if not runs.holds_result(cell)]
        )

    def _write(self, runs: StudyRuns, writes: Iterable[RunWrite]) -> None:
        study = self._ledger.study()
        for write in writes:
            if study.key not in runs:
                runs.apply(study)
            runs.apply(write)


def _read_position(path: Path, uri: str, end: int) -> int:
    """Return up to where this MLflow has the journal; 0, which is safe, where that is unknown."""
    try:
        held = json.loads(path.read_text())
        known = held["uri"] == uri and held["offset"] <= end
        return int(held["offset"]) if known else 0
    except (FileNotFoundError, ValueError, KeyError):
        return 0


def _write_position(path: Path, uri: str, offset: int) -> None:
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.write_text(json.dumps({"uri": uri, "offset": offset}))
    aside.replace(path)


def _one_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
