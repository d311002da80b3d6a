"""Brings a study's journal to MLflow, from where it last got to. No thread, no process."""

from collections.abc import Iterable
from dataclasses import dataclass

from rotlab.tracking.errand import Errand
from rotlab.tracking.journal import Event, Journal
from rotlab.tracking.ledger import Ledger
from rotlab.tracking.mlflow_runs import StudyRuns
from rotlab.tracking.position import read_position, write_position
from rotlab.tracking.run_write import RunWrite

_BATCH_EVENTS = 2000


@dataclass(frozen=True, slots=True)
class _Taken:
    """What a batch of events asks for, and where in the journal the batch ends."""

    writes: tuple[RunWrite, ...]
    end: int


class Sender:
    """Sends a journal's events; those that an earlier sender could not send go first.

    The journal is the queue: it is read batch by batch, so that memory is bounded.

    Args:
        errand: what is to be sent, and where to.
        anew: whether all of it is to be sent, whatever was sent before. Only who holds the
            study's writing may ask for that.

    Raises:
        JournalError: if the journal is damaged.
    """

    def __init__(self, errand: Errand, *, anew: bool = False) -> None:
        self._errand = errand
        self._journal = Journal(errand.journal)
        self._ledger = Ledger(errand.plan, errand.configs)
        self._runs: StudyRuns | None = None
        self._taken: _Taken | None = None
        self._position = 0
        self._is_over = False
        if anew:
            write_position(errand.journal, errand.uri, 0)
        known = read_position(errand.journal, errand.uri, self._journal.size())
        while self._position < known:
            batch = self._journal.read_from(self._position, _BATCH_EVENTS)
            held = [(event, end) for event, end in batch if end <= known]
            if not held:
                break
            self._ledger.take(event for event, _ in held)
            self._position = held[-1][1]

    @property
    def made(self) -> int:
        """How many runs were made since MLflow was last found to answer."""
        return 0 if self._runs is None else self._runs.made

    @property
    def found(self) -> int:
        """How many others are there."""
        return 0 if self._runs is None else len(self._runs) - self._runs.made

    @property
    def has_more(self) -> bool:
        """Whether the journal has grown since all of it was sent."""
        return not self._is_over and self._journal.size() > self._position

    def send(self) -> None:
        """Send until nothing is left.

        Raises:
            MlflowException, SQLAlchemyError, OSError, TrackingError: if MLflow cannot be reached or
                used; nothing is lost, and the next call goes on from there.
        """
        try:
            if self._runs is None:
                self._runs = StudyRuns(
                    self._errand.uri,
                    self._errand.plan.name,
                    self._errand.artifact_root,
                    self._errand.shelf,
                    self._errand.artifacts,
                )
                self._catch_up(self._runs)
            while self._taken is not None or self._take():
                self._settle(self._runs)
        except BaseException:
            self._runs = None  # what exists there is looked up anew
            raise

    def _take(self) -> bool:
        """Work out what the next events ask for, and say whether there were any."""
        batch = self._own(self._journal.read_from(self._position, _BATCH_EVENTS))
        if batch:
            self._taken = _Taken(
                tuple(self._ledger.take(event for event, _ in batch)), batch[-1][1]
            )
        return bool(batch)

    def _own(self, batch: list[tuple[Event, int]]) -> list[tuple[Event, int]]:
        """Leave out what another driver added, whose plan holds stages that this one has not."""
        for number, (event, end) in enumerate(batch):
            if (
                event["event"] == "study_started"
                and end > self._errand.begin
                and event.get("revision", self._errand.revision) != self._errand.revision
            ):
                self._is_over = True
                return batch[:number]
        return batch

    def _settle(self, runs: StudyRuns) -> None:
        """Write what was taken, then remember that; after a failure all is written again."""
        if self._taken is None:
            return
        self._write(runs, self._taken.writes)
        write_position(self._errand.journal, self._errand.uri, self._taken.end)
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
            self._position, self._taken, self._ledger = (
                0,
                None,
                Ledger(self._errand.plan, self._errand.configs),
            )
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
