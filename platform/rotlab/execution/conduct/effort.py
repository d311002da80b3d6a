"""What the work of stages took, by a study's journals and the store's records: hours, no prices."""

from collections.abc import Mapping
from functools import reduce
from math import fsum
from operator import add
from pathlib import Path

from rotlab.execution.conduct.budget import Usage
from rotlab.execution.conduct.expenses import Reading
from rotlab.planning.space.allowance import UNITS, Hours
from rotlab.planning.stage import Resources, Stage, StageKind
from rotlab.store.store import Store


class Effort:
    """Tells what stages took.

    That is what all attempts of the study's runs at them held, those that failed, were lost or
    stopped too. A result that none of these made, as another study's, took what its record says.

    Args:
        store: of the results.
        study: whose journals tell.
        kinds: stage kinds by name.
        resources: kind -> what its stages occupy, where that is not the kind's own default.
    """

    def __init__(
        self,
        store: Store,
        study: str,
        kinds: Mapping[str, StageKind],
        resources: Mapping[str, Resources],
    ) -> None:
        self._store, self._study = store, study
        self._kinds, self._resources = kinds, resources
        self._read: dict[Path, Reading] = {}

    def hours(self, stage: Stage) -> Hours:
        """Return the hours, of devices and of cores, that a stage took until now.

        Raises:
            JournalError: a journal is damaged.
            StoreError: the record cannot be read.
        """
        return self._hours(stage.key, stage.kind)

    def whole(self, stage: Stage) -> Hours:
        """Return likewise what a stage took with the shorter trainings that it went on from."""
        found, key = [], stage.key
        while True:
            found.append(self._hours(key, stage.kind))
            record = self._store.record(key, stage.kind)
            if record is None or record.continued is None:
                return {unit: fsum(one[unit] for one in found) for unit in UNITS}
            key = record.continued

    def _hours(self, key: str, name: str) -> Hours:
        """What a stage took, by its key and the name of its kind."""
        for path in self._store.journals(self._study):
            self._read.setdefault(path, Reading(path)).go_on()
        used = reduce(add, (one.used_by(key) for one in self._read.values()), Usage())
        hours: Hours = {"gpu_hours": used.gpu_hours, "cpu_hours": used.cpu_hours}
        record = self._store.record(key, name)
        own = frozenset[str]().union(*(one.made(key) for one in self._read.values()))
        if record is None or record.attempt in own:
            return hours
        asked = self._resources.get(name, self._kinds[name].resources)
        occupied = asked.resolved(has_gpu=record.device != "cpu")
        each = record.seconds / 3600
        return {
            "gpu_hours": hours["gpu_hours"] + (occupied.gpus or 0.0) * each,
            "cpu_hours": hours["cpu_hours"] + occupied.cpus * each,
        }
