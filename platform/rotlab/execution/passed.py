"""Which sorts of stages have passed when they were tried, by which code and with what."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from rotlab.execution.stage import provenance
from rotlab.planning.key import canonical
from rotlab.planning.stage import Resources, Stage, StageKind

PASSED = "passed.json"


class Passed:
    """Remembers them in a folder. Other code, settings, resources or cluster: another sort.

    Args:
        folder: made when something is first remembered.
        kinds: stage kinds by name.
        resources: kind -> what its stages are given.
        address: of the cluster; None: one on this machine.
    """

    def __init__(
        self,
        folder: Path,
        kinds: Mapping[str, StageKind],
        resources: Mapping[str, Resources],
        address: str | None,
    ) -> None:
        self._path = folder / PASSED
        self._kinds, self._resources, self._address = kinds, resources, address
        self._known = self._read()

    def __contains__(self, stage: Stage) -> bool:
        return self._mark(stage) in self._known

    def add(self, stages: Iterable[Stage]) -> None:
        """Remember sorts that have passed, beside those that others have added meanwhile."""
        marks = {mark for mark in map(self._mark, stages) if mark is not None}
        self._known = self._read() | marks
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_name(f".{PASSED}-{secrets.token_hex(4)}")
        aside.write_text(json.dumps(sorted(self._known)), encoding="utf-8")
        aside.replace(self._path)

    def _mark(self, stage: Stage) -> str | None:
        """What stands for a sort; None where its code is not known, so that it is always tried."""
        source = provenance.source(self._kinds[stage.kind].run)
        if source is None:
            return None
        resources = self._resources[stage.kind]
        values = [
            [stage.key, stage.config.model_dump(mode="json")],
            [resources.cpus, resources.gpus, resources.processes],
            [source, provenance.platform_source(), provenance.versions(), self._address],
        ]
        return hashlib.sha256(canonical(values).encode()).hexdigest()

    def _read(self) -> set[str]:
        """What is remembered; nothing where it cannot be read, which costs a trial."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return set()
        return set(found) if isinstance(found, list) else set()
