"""Results of stages: attempts at them, and the records that say which attempt counts."""

import contextlib
import logging
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rotlab.planning.stage import Stage
from rotlab.store.carrying import (
    bring,
    bring_each,
    bring_files,
    folders_beside,
    folders_in,
    send_away,
    send_files,
)
from rotlab.store.files import (
    StoreError,
    create_json,
    exists,
    flush_folder,
    is_whole,
    read_copy,
    read_json,
    read_text,
    remove,
    seal,
)
from rotlab.store.layout import (
    CHECKPOINT,
    ERROR,
    INVALID,
    ORIGIN,
    OTHERS,
    PARTIAL,
    RECORD,
    Layout,
)
from rotlab.store.mirror import bring_state, forget_state
from rotlab.store.record import Record, record_from_json, record_to_json
from rotlab.store.replica import told

_LOG = logging.getLogger(__name__)


class Results(Layout):
    """What stages have left in a store."""

    def record(self, key: str, kind: str) -> Record | None:
        """Return the record of a stage, or None where its work is not done.

        Raises:
            StoreError: if a record lies there that cannot be read.
        """
        return self._record(key, kind, read_text)

    def records(self, stages: Iterable[Stage]) -> dict[str, Record]:
        """Return the records of those stages that are done, by key."""
        return self.records_of({stage.key: stage.kind for stage in stages})

    def records_of(self, kinds: Mapping[str, str]) -> dict[str, Record]:
        """Return the records of those stages that are done, by key.

        Args:
            kinds: key -> kind, of the stages.
        """
        bring_each([self.home(key, kind) / RECORD for key, kind in kinds.items()])
        found = ((key, self._record(key, kind, read_copy)) for key, kind in kinds.items())
        return {key: record for key, record in found if record is not None}

    def all_records(self, kinds: Iterable[str] | None = None) -> Iterator[Record]:
        """Yield the records of all stages of these kinds, of whatever study, by kind and key.

        One that cannot be read is passed over, with a warning in the log: it is an error only for
        whom it is the result of.

        Args:
            kinds: None takes all.
        """
        if kinds is None:
            kinds = [name for name in folders_in(self.root) if name not in OTHERS]
        for kind in kinds:
            bring(self.root / kind, f"*/{RECORD}")
            for path in sorted((self.root / kind).glob(f"*/{RECORD}")):
                try:
                    record = self._record(path.parent.name, kind, read_copy)
                except StoreError as error:
                    _LOG.warning("%s", error)
                    continue
                if record is not None:
                    yield record

    def result_place(self, record: Record) -> Path:
        """Return the folder of a record's files, whether they are there or not."""
        return self.attempts(record.key, record.kind) / record.attempt

    def result_folder(self, record: Record) -> Path:
        """Return the folder that holds a record's files; from a bucket they are fetched to it.

        Raises:
            StoreError: if it is gone, or a file in it, or one is damaged that was fetched.
        """
        folder = self.result_place(record)
        bring_files(folder, record.files)
        lost = [folder] if not folder.is_dir() else []
        lost = lost or [folder / name for name in record.files if not (folder / name).is_file()]
        if lost:
            raise _gone(record, lost[0], folder)
        return folder

    def result_file(self, record: Record, name: str) -> Path:
        """Return one of a record's files; from a bucket it is fetched alone.

        Raises:
            StoreError: if it is gone, or damaged.
        """
        folder = self.result_place(record)
        bring_files(folder, {name: record.files[name]})
        if not (folder / name).is_file():
            raise _gone(record, folder / name, folder)
        return folder / name

    def state_path(self, record: Record) -> Path:
        """Return where a record's training state lies, if it is kept."""
        return self.result_place(record) / CHECKPOINT

    def bring_state_of(self, record: Record) -> None:
        """Fetch a record's training state to its place, if it is kept, from a bucket."""
        if record.state is not None:
            bring_files(self.result_place(record), {CHECKPOINT: record.state["sha256"]})

    def bring_logs(self, stage: Stage) -> None:
        """Fetch the logs of all attempts at a stage, and of their helpers, from a bucket."""
        bring(self.log_path(stage, "").parent, "*.log*")

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
        attempts = self.attempts(stage.key, stage.kind)
        attempts.mkdir(parents=True, exist_ok=True)
        bring_state(attempts.parent)
        folder = attempts / (attempt or new_attempt_id())
        making = attempts / f".{folder.name}"
        withdrawn = {note.stem for note in (attempts.parent / INVALID).glob("*.json")}

        def is_meant(path: Path) -> bool:
            """Pass over what counts no more: in a copy of a bucket it lies where it was."""
            return path.name not in withdrawn and fits(path)

        while (earlier := newest_attempt(attempts, is_meant)) is not None:
            try:
                shutil.copytree(earlier, making, ignore=_unfinished)
            except (FileNotFoundError, shutil.Error):
                if newest_attempt(attempts, is_meant) == earlier:
                    raise
                shutil.rmtree(
                    making, ignore_errors=True
                )  # one that is newer has made room meanwhile
            else:
                return making.rename(folder)
        making.mkdir()
        if begin is not None:
            begin(making)
        return making.rename(folder)

    def commit(self, stage: Stage, attempt: Path, record: Record) -> Record:
        """Make an attempt the result of its stage, and return the record that counts.

        The first to commit wins. A later one's folder is removed, and it gets the winner's record.
        All other attempts at the stage are removed, and what is only good for continuing, unless
        the record names it.
        """
        home = self.home(stage.key, stage.kind)
        send_files(attempt, [*record.files, *([CHECKPOINT] if record.state is not None else [])])
        beside = folders_beside(attempt)  # now: later ones may be of a result that is made again
        try:
            create_json(home / RECORD, record_to_json(record), f".record-{attempt.name}.tmp")
        except FileExistsError:
            winner = self.record(stage.key, stage.kind)
            if winner is None:
                raise
            if winner.attempt != attempt.name:
                send_away(attempt)
                shutil.rmtree(attempt, ignore_errors=True)
            return winner
        (attempt / ORIGIN).unlink(missing_ok=True)
        if record.state is None:
            (attempt / CHECKPOINT).unlink(missing_ok=True)
        for other in attempt.parent.iterdir():
            if other.name != attempt.name:
                shutil.rmtree(other, ignore_errors=True)
        forget_state(home)
        for one in beside:
            send_away(one)
        return record

    def is_withdrawn(self, key: str, kind: str, attempt: str) -> bool:
        """Say whether an attempt's result was taken out of use."""
        return exists(self.home(key, kind) / INVALID / f"{attempt}.json")

    def set_aside(self, record: Record, because: str) -> None:
        """Take a result out of use; it stays, with the reason, below <kind>/<key>/invalid.

        Cut short, it leaves a record whose files are gone, which is an error and never a result;
        called again it ends what it began. Another result that lies there by now is left alone.
        """
        home = self.home(record.key, record.kind)
        there = self.record(record.key, record.kind)
        if there is not None and there.attempt != record.attempt:  # made again meanwhile
            return
        aside = home / INVALID
        aside.mkdir(parents=True, exist_ok=True)
        note = {"because": because, "time": time.time(), "record": record_to_json(record)}
        with contextlib.suppress(FileExistsError):
            create_json(aside / f"{record.attempt}.json", note, f".{record.attempt}.tmp")
        attempts = self.attempts(record.key, record.kind)
        for folder in attempts.iterdir() if attempts.exists() else ():  # of none the next goes on
            folder.rename(aside / folder.name)
        forget_state(home)
        remove(home / RECORD)

    def _record(self, key: str, kind: str, read: Callable[[Path], str]) -> Record | None:
        path = self.home(key, kind) / RECORD
        values = read_json(path, "stage", read)
        if values is None:
            return None
        try:
            return record_from_json(values)
        except ValueError as error:
            raise StoreError(
                f"{told(path)}: {error}; remove it to have the stage made again"
            ) from error


def _gone(record: Record, lost: Path, folder: Path) -> StoreError:
    if exists(folder / PARTIAL):
        return StoreError(
            f"{told(lost)}: was left out when {record.kind} {record.key[:12]} was exported; "
            "import a file made with --weights all, or have it made again: rotlab invalidate "
            f"{record.key[:12]} --because TEXT"
        )
    return StoreError(
        f"{told(lost)}: gone, though {record.kind} {record.key[:12]} has a record; "
        f"remove {told(folder.parents[1] / RECORD)} to have it made again"
    )


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


def newest_attempt(attempts: Path, fits: Callable[[Path], bool] = lambda _: True) -> Path | None:
    """Return the folder that holds the most recently written file of all, if any holds one.

    Args:
        attempts: folder of a stage's attempts.
        fits: says whether an attempt is one to go on from.
    """
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
