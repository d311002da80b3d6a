"""What other runs of a study have used, by their journals, each event of which is read once."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path

from rotlab.execution.conduct.budget import Rates, Spending, Usage
from rotlab.tracking.journal import Journal


class Expenses:
    """Adds up journals that grow, each event once.

    Args:
        rates: what an hour costs.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._read: dict[Path, Reading] = {}

    def beside(self, own: Path, main: Path, journals: Iterable[Path]) -> Usage:
        """Return what runs have used beside one; only that which tracks counts hours of wall.

        Args:
            own: journal of that one, which does not count.
            main: journal of the run that tracks the study.
            journals: of all runs of the study, as they are now.

        Raises:
            JournalError: if one is damaged before its end.
        """
        paths = [path for path in journals if path != own]
        self._read = {path: self._read.get(path) or Reading(path, self._rates) for path in paths}
        used = {path: one.go_on() for path, one in self._read.items()}
        wall = used[main].wall_hours if main in used else 0.0
        return replace(reduce(add, used.values(), Usage()), wall_hours=wall)


class Reading:
    """What a journal tells of use, as far as it was read.

    One that was cut, replaced or begun anew no longer has the last line that was read where it was;
    then it is read from its start.
    """

    def __init__(self, path: Path, rates: Rates | None = None) -> None:
        self._path, self._rates = path, rates
        self._spending = Spending(rates)
        self._last_start, self._end, self._last = 0, 0, b""

    def go_on(self) -> Usage:
        """Take what is new, and return what all of it comes to."""
        if self._bytes(self._last_start, self._end) != self._last:
            self._begin()
        found = Journal(self._path).read_from(self._end)
        for event, _ in found:
            self._spending.take(event)
        if found:
            ends = [self._end, *(end for _, end in found)]
            self._last_start, self._end = ends[-2:]
            self._last = self._bytes(self._last_start, self._end)
        return self._spending.used()

    def used_by(self, key: str) -> Usage:
        """Return what attempts at a stage used, as far as the journal was read."""
        return self._spending.used_by(key)

    def made(self, key: str) -> frozenset[str]:
        """Return the attempts at a stage, likewise."""
        return self._spending.attempts_at(key)

    def _begin(self) -> None:
        self._spending = Spending(self._rates)
        self._last_start, self._end, self._last = 0, 0, b""

    def _bytes(self, start: int, end: int) -> bytes:
        if start == end or not self._path.exists():
            return b""
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)
