"""The store: where stages' results and studies lie. The one module that knows its paths.

<kind>/<key>/attempts/<id>/...     a working folder, then a result
<kind>/<key>/record.json           names the attempt that counts; without it there is no result
<kind>/<key>/lease.json            somebody works at it; see `rotlab.execution.lease`
<kind>/<key>/logs/<id>.log         what each attempt said
<kind>/<key>/invalid/<id>/...      a result that counts no more; <id>.json says why
studies/<name>/<revision>.json     plan and question
studies/<name>/journal.jsonl       what happened
studies/<name>/cancel              a wish that its drivers end
studies/<name>/smoke-<run>/...     a store of stages that are only tried, gone with the run
studies/<name>/smoke/...           what was tried and passed, and what was said by what did not
"""

import contextlib
import json
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from rotlab.execution.files import create_json, flush_folder, is_whole, seal
from rotlab.execution.hold import hold, holder
from rotlab.execution.record import Record, record_from_json, record_to_json
from rotlab.execution.study import SavedStudy, study_from_json, study_to_json
from rotlab.planning.stage import Stage
from rotnet.errors import UserError

DEFAULT = "rotlab-store"
CHECKPOINT = "checkpoint.pt"  # good for continuing only; not part of a result
ORIGIN = "origin.json"  # what an attempt began from
ERROR = "error.txt"
_LOG = logging.getLogger(__name__)


class StoreError(UserError):
    """The store cannot be used, or something in it cannot be read."""


class Store:
    """A folder of results, safe to share between processes and machines that see it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, url: str | None, *, writing: bool = True) -> Self:
        """Return the store at a path or file:// URL; None takes $ROTLAB_STORE, else ./rotlab-store.

        A folder that does not exist is made when something is first written to it.

        Args:
            url: as given to --store.
            writing: whether results are to be added, not only read.

        Raises:
            StoreError: if the scheme is another, or the place is a file or cannot be written.
        """
        given = url or os.environ.get("ROTLAB_STORE") or DEFAULT
        path = _local_path(given)
        # One store has one name, in MLflow's URI as well; links stay, as another machine may have
        # its own.
        root = path.resolve() if ".." in path.parts else path.absolute()
        there = next(path for path in (root, *root.parents) if path.exists())
        if not there.is_dir():
            raise StoreError(
                f"store {given}: {there} is a file, but must be a folder; give --store another path"
            )
        if writing and not os.access(there, os.W_OK | os.X_OK):
            raise StoreError(
                f"store {given}: {there} is not writable for this user; give --store another path"
            )
        return cls(root)

    # Results

    def record(self, key: str, kind: str) -> Record | None:
        """Return the record of a stage, or None where its work is not done.

        Raises:
            StoreError: if a record lies there that cannot be read.
        """
        path = self._home(key, kind) / "record.json"
        values = _read_json(path, "stage")
        if values is None:
            return None
        try:
            return record_from_json(values)
        except ValueError as error:
            raise StoreError(f"{path}: {error}; remove it to have the stage made again") from error

    def records(self, stages: Iterable[Stage]) -> dict[str, Record]:
        """Return the records of those stages that are done, by key."""
        found = ((stage.key, self.record(stage.key, stage.kind)) for stage in stages)
        return {key: record for key, record in found if record is not None}

    def all_records(self, kinds: Iterable[str] | None = None) -> Iterator[Record]:
        """Yield the records of all stages of these kinds, of whatever study, by kind and key.

        One that cannot be read is passed over, with a warning in the log: it is an error only for
        whom it is the result of.

        Args:
            kinds: None takes all.
        """
        if kinds is None:
            kinds = sorted({path.parents[1].name for path in self.root.glob("*/*/record.json")})
        for kind in kinds:
            for path in sorted((self.root / kind).glob("*/record.json")):
                try:
                    record = self.record(path.parent.name, kind)
                except StoreError as error:
                    _LOG.warning("%s", error)
                    continue
                if record is not None:
                    yield record

    def result_folder(self, record: Record) -> Path:
        """Return the folder that holds a record's files.

        Raises:
            StoreError: if it is gone, or a file in it.
        """
        folder = self._attempts(record.key, record.kind) / record.attempt
        lost = [folder] if not folder.is_dir() else []
        lost = lost or [folder / name for name in record.files if not (folder / name).is_file()]
        if lost:
            raise StoreError(
                f"{lost[0]}: gone, though {record.kind} {record.key[:12]} has a record; "
                f"remove {folder.parents[1] / 'record.json'} to have it made again"
            )
        return folder

    def state_path(self, record: Record) -> Path:
        """Return where a record's training state lies, if it is kept."""
        return self._attempts(record.key, record.kind) / record.attempt / CHECKPOINT

    def new_attempt(
        self,
        stage: Stage,
        attempt: str | None = None,
        begin: Callable[[Path], None] | None = None,
        fits: Callable[[Path], bool] = lambda _: True,
    ) -> Path:
        """Return a fresh working folder, holding what the newest unfinished attempt had saved.

        It appears whole, under its name, or not at all. Files in the making and the error of the
        earlier attempt are left behind.

        Args:
            stage: whose work it is for.
            attempt: its identity; None makes one.
            begin: puts into a folder what a stage begins from that has nothing of its own yet.
            fits: says whether an earlier attempt is one to go on from.
        """
        attempts = self._attempts(stage.key, stage.kind)
        attempts.mkdir(parents=True, exist_ok=True)
        folder = attempts / (attempt or new_attempt_id())
        making = attempts / f".{folder.name}"
        earlier = _newest(attempts, fits)
        if earlier is None:
            making.mkdir()
            if begin is not None:
                begin(making)
        else:
            shutil.copytree(earlier, making, ignore=_unfinished)
        return making.rename(folder)

    def commit(self, stage: Stage, attempt: Path, record: Record) -> Record:
        """Make an attempt the result of its stage, and return the record that counts.

        The first to commit wins. A later one's folder is removed, and it gets the winner's record.
        All other attempts at the stage are removed, and what is only good for continuing, unless
        the record names it.
        """
        home = self._home(stage.key, stage.kind)
        try:
            create_json(home / "record.json", record_to_json(record), f".record-{attempt.name}.tmp")
        except FileExistsError:
            winner = self.record(stage.key, stage.kind)
            if winner is None:
                raise
            if winner.attempt != attempt.name:
                shutil.rmtree(attempt, ignore_errors=True)
            return winner
        (attempt / ORIGIN).unlink(missing_ok=True)
        if record.state is None:
            (attempt / CHECKPOINT).unlink(missing_ok=True)
        for other in attempt.parent.iterdir():
            if other.name != attempt.name:
                shutil.rmtree(other, ignore_errors=True)
        return record

    def error_path(self, stage: Stage, attempt: str) -> Path:
        """Return where a failed attempt's traceback lies."""
        return self._attempts(stage.key, stage.kind) / attempt / ERROR

    def lease_path(self, stage: Stage) -> Path:
        """Return the file that says who works at a stage; its folder is there then."""
        home = self._home(stage.key, stage.kind)
        home.mkdir(parents=True, exist_ok=True)
        return home / "lease.json"

    def log_path(self, stage: Stage, attempt: str) -> Path:
        """Return where an attempt's log lies."""
        return self._home(stage.key, stage.kind) / "logs" / f"{attempt}.log"

    def halfway_path(self, stage: Stage) -> Path:
        """Return the note that a stage was stopped halfway; see `rotlab.execution.halfway`."""
        return self._home(stage.key, stage.kind) / "halfway"

    def logs(self, stage: Stage) -> list[Path]:
        """Return the logs of all attempts at a stage, oldest first."""
        return sorted((self._home(stage.key, stage.kind) / "logs").glob("*.log"))

    def set_aside(self, record: Record, because: str) -> None:
        """Take a result out of use; it stays, with the reason, below <kind>/<key>/invalid.

        Cut short, it leaves a record whose files are gone, which is an error and never a result;
        called again it ends what it began.
        """
        home = self._home(record.key, record.kind)
        aside = home / "invalid"
        aside.mkdir(exist_ok=True)
        note = {"because": because, "time": time.time(), "record": record_to_json(record)}
        with contextlib.suppress(FileExistsError):
            create_json(aside / f"{record.attempt}.json", note, f".{record.attempt}.tmp")
        attempts = self._attempts(record.key, record.kind)
        for folder in attempts.iterdir() if attempts.exists() else ():  # of none the next goes on
            folder.rename(aside / folder.name)
        (home / "record.json").unlink(missing_ok=True)

    # Studies

    def studies(self) -> list[str]:
        """Return the names of all studies, sorted."""
        return sorted(path.parent.name for path in (self.root / "studies").glob("*/1.json"))

    def study(self, name: str) -> SavedStudy | None:
        """Return the last revision of a study, or None where there is none.

        Raises:
            StoreError: if it cannot be read.
        """
        revisions = [
            int(path.stem) for path in self._study(name).glob("*.json") if path.stem.isdecimal()
        ]
        if not revisions:
            return None
        path = self._study(name) / f"{max(revisions)}.json"
        try:
            return study_from_json(_read_json(path, "study") or {})
        except ValueError as error:
            raise StoreError(f"{path}: {error}") from error

    def save_study(self, study: SavedStudy) -> None:
        """Keep a revision; one that is there already stays as it is."""
        path = self._study(study.name) / f"{study.revision}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            create_json(path, study_to_json(study), f".{study.revision}-{secrets.token_hex(4)}.tmp")

    def journal_path(self, name: str, run: str | None = None) -> Path:
        """Return where a study's journal lies, or that of a run beside the one that tracks it."""
        return self._study(name) / (f"journal-{run}.jsonl" if run else "journal.jsonl")

    def journals(self, name: str) -> list[Path]:
        """Return all journals of a study."""
        return sorted(self._study(name).glob("journal*.jsonl"))

    def stop_path(self, name: str, run: str) -> Path:
        """Return the file whose presence asks the workers of one run to stop."""
        return self._study(name) / f"stop-{run}"

    def smoke_store(self, name: str, run: str) -> "Store":
        """Return the store in which a run tries stages; its folder may not be there."""
        return Store(self._study(name) / f"smoke-{run}")

    def smoke_notes(self, name: str) -> Path:
        """Return the folder of what is known of a study's stages that were tried."""
        return self._study(name) / "smoke"

    def cancel_path(self, name: str) -> Path:
        """Return the file whose presence asks all drivers of a study to end."""
        return self._study(name) / "cancel"

    def driver(self, name: str) -> str | None:
        """Return who runs a study, None where nobody does."""
        return holder(self._study(name))

    def driving(self, name: str, run: str) -> AbstractContextManager[str | None]:
        """Hold a study while it is run; see `rotlab.execution.hold`.

        Args:
            name: of the study.
            run: identity of the run.
        """
        return hold(self._study(name), run)

    # Paths

    def _home(self, key: str, kind: str) -> Path:
        return self.root / kind / key

    def _attempts(self, key: str, kind: str) -> Path:
        return self._home(key, kind) / "attempts"

    def _study(self, name: str) -> Path:
        return self.root / "studies" / name


def new_attempt_id() -> str:
    """Return an identity that nobody else has; they sort by time, to the second."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def checksums(folder: Path) -> dict[str, str]:
    """Bring a folder's whole files to disk; return path -> SHA-256 of those that make a result."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and is_whole(path))
    for path in {path.parent for path in files} | {folder}:
        flush_folder(path)
    return {
        path.relative_to(folder).as_posix(): seal(path)
        for path in files
        if path.name not in (CHECKPOINT, ORIGIN, ERROR)
    }


def _newest(attempts: Path, fits: Callable[[Path], bool]) -> Path | None:
    """The fitting attempt that holds the most recently written file of all, if any holds one."""
    times = [
        (path.stat().st_mtime_ns, folder.name)
        for folder in attempts.iterdir()
        if not folder.name.startswith(".") and fits(folder)
        for path in folder.rglob("*")
        if path.is_file() and is_whole(path) and path.name not in (ORIGIN, ERROR)
    ]
    return attempts / max(times)[1] if times else None


def _unfinished(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not is_whole(Path(name)) or name == ERROR]


def _local_path(given: str) -> Path:
    parts = urlsplit(given)
    if not parts.scheme or len(parts.scheme) == 1:
        return Path(given).expanduser()
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    raise StoreError(
        f"store {given}: scheme {parts.scheme!r} is not supported; "
        "give a local path or a file:// URL"
    )


def _read_json(path: Path, what: str) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError(f"a {type(values).__name__}, not an object")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path}: cannot be read ({error}); remove it to have the {what} made again"
        ) from error
    return values
