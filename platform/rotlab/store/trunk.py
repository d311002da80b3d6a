"""The state that a longer training goes on from: a shorter one's last, taken only if it is sound.

Whether it was taken changes how long a stage takes, never its result, so nothing here is an error:
what is not as it should be is named, and the stage is trained from its beginning.
"""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rotlab.planning.stage import Length, Stage
from rotlab.store.files import create_here, remove, seal
from rotlab.store.record import Record
from rotlab.store.store import CHECKPOINT, ORIGIN, Store
from rotnet.errors import UserError

# Which training states of finished stages stay, though no longer one of the plan waits for them: as
# the stage kind has it, none, or all.
KeepStates = Literal["kind", "needed", "all"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a stage began from.

    Args:
        continued: key of the shorter training from whose end it went on; None: from no other.
        not_continued: why it did not, or not from the longest; None where it did as planned.
        inputs: input name -> attempt at it whose result the stage was given; None: not noted.
        trunk: attempt at the shorter training whose state was taken; None: none, or not noted.
    """

    continued: str | None = None
    not_continued: str | None = None
    inputs: Mapping[str, str] | None = None
    trunk: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """A stage among trainings of other lengths.

    Args:
        store: where they lie.
        stages: all of the plan, by key.
        continues: longer -> shorter, as the plan has it.
        stage: which one.
        length: how stages of its kind hang together; None where they do not.
        taken: input name -> attempt at it whose result the stage is given.
        keep: which states stay.
        to_go_on: whether stages that are still to come may go on from its end.
    """

    store: Store
    stages: Mapping[str, Stage]
    continues: Mapping[str, str]
    stage: Stage
    length: Length | None
    taken: Mapping[str, str]
    keep: KeepStates = "kind"
    to_go_on: bool = False

    def plant(self, folder: Path) -> None:
        """Put the longest sound state into a fresh folder, and a note of what it begins from."""
        continued, trunk, lacking = None, None, []
        for stage in self._shorter():
            record = self.store.record(stage.key, stage.kind)
            why = self._copy(record, folder / CHECKPOINT)
            if record is not None and why is None:
                continued, trunk = stage.key, record.attempt
                break
            lacking.append(f"{stage.kind} {stage.key[:12]} {why}")
        if continued or lacking or self.taken:
            origin = Origin(continued, "; ".join(lacking) or None, dict(self.taken), trunk)
            create_here(folder / ORIGIN, asdict(origin), f".{ORIGIN}.tmp")
        if lacking:
            _log.warning("%s %s: %s", self.stage.kind, self.stage.key[:12], "; ".join(lacking))

    def fits(self, folder: Path) -> bool:
        """Say whether an earlier attempt began from the same results, all of which still count."""
        origin = read_origin(folder)
        if self._is_withdrawn(origin):
            return False
        return origin.inputs is None or origin.inputs == self.taken

    def check_inputs(self, origin: Origin) -> None:
        """Raise UserError if a result that the stage was given, or went on from, counts no more."""
        if self._is_withdrawn(origin):
            raise UserError(
                f"{self.stage.kind} {str(origin.continued)[:12]}, from whose end it went on, was "
                "withdrawn while it was at work; run the study again"
            )
        for name, key in self.stage.inputs.items():
            record = self.store.record(key, self.stages[key].kind)
            if record is None or record.attempt != self.taken[name]:
                raise UserError(
                    f"its input {self.stages[key].kind} {key[:12]} was withdrawn while it was at "
                    "work; run the study again"
                )

    def state(self, folder: Path) -> dict[str, Any] | None:
        """Return what a record says of a finished attempt's last state; None: it is not kept."""
        is_wanted = self._stays or self.to_go_on or self._awaited(self.stage.key)
        if self.length is None or not is_wanted:
            return None
        if not (folder / CHECKPOINT).is_file():
            _log.warning("%s %s left no state", self.stage.kind, self.stage.key[:12])
            return None
        return {"sha256": seal(folder / CHECKPOINT), "inputs": dict(self.taken)}

    def sweep(self) -> None:
        """Remove the state of the shorter training, once no longer one of the plan waits for it."""
        key = self.continues.get(self.stage.key)
        if key is None or self.length is None or self._stays or self._awaited(key):
            return
        record = self.store.record(key, self.stage.kind)
        if record is not None:
            remove(self.store.state_path(record))

    @property
    def _stays(self) -> bool:
        """Whether states stay for longer trainings that are asked for later."""
        if self.keep == "kind":
            return self.length is not None and self.length.kept
        return self.keep == "all"

    def _awaited(self, key: str) -> bool:
        """Whether a longer training goes on from a stage's end and is not done."""
        longer = (self.stages[one] for one, trunk in self.continues.items() if trunk == key)
        return any(self.store.record(one.key, one.kind) is None for one in longer)

    def _shorter(self) -> Iterator[Stage]:
        """The stages that are the beginning of this one, longest first."""
        key = self.continues.get(self.stage.key)
        while key is not None:
            yield self.stages[key]
            key = self.continues.get(key)

    def _is_withdrawn(self, origin: Origin) -> bool:
        """Whether the shorter training counts no more from which an attempt went on."""
        if origin.continued is None or origin.trunk is None:
            return False
        key, kind = origin.continued, self.stage.kind
        record = self.store.record(key, kind)
        is_another = record is not None and record.attempt != origin.trunk
        return is_another or self.store.is_withdrawn(key, kind, origin.trunk)

    def _copy(self, record: Record | None, path: Path) -> str | None:
        """Copy the last state of a record's stage, and return None; or why not, leaving nothing."""
        if record is None:
            return "is not done"
        if record.state is None:
            return "has left no training state"
        if record.state["inputs"] != self.taken:
            return "was trained from another result of its inputs"
        source = self.store.state_path(record)
        self.store.bring_state_of(record)
        try:
            shutil.copyfile(source, path)
        except FileNotFoundError:
            return f"has its training state no more ({source})"
        found, expected = seal(path), record.state["sha256"]
        if found == expected:
            return None
        path.unlink()
        return f"has a damaged training state ({source}: SHA-256 is {found}, not {expected})"


def read_origin(folder: Path) -> Origin:
    """Return what an attempt, or the one that it goes on from, began from."""
    path = folder / ORIGIN
    return Origin(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Origin()
