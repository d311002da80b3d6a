"""Results of stages: attempts at them, and the records that say which attempt counts."""

import contextlib
import logging
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rotlab.execution.files import StoreError, create_json, flush_folder, is_whole, read_json, seal
from rotlab.execution.layout import CHECKPOINT, ERROR, INVALID, ORIGIN, PARTIAL, RECORD, Layout
from rotlab.execution.record import Record, record_from_json, record_to_json
from rotlab.planning.stage import Stage

_LOG = logging.getLogger(__name__)


class Results(Layout):
    """What stages have left in a store."""

    def record(self, key: str, kind: str) -> Record | None:
        """Return the record of a stage, or None where its work is not done.

        Raises:
            StoreError: if a record lies there that cannot be read.
        """
        path = self.home(key, kind) / RECORD
        values = read_json(path, "stage")
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
            kinds = sorted({path.parents[1].name for path in self.root.glob(f"[!.]*/*/{RECORD}")})
        for kind in kinds:
            for path in sorted((self.root / kind).glob(f"*/{RECORD}")):
                try:
                    record = self.record(path.parent.name, kind)
                except StoreError as error:
                    _LOG.warning("%s", error)
                    continue
                if record is not None:
                    yield record

    def result_place(self, record: Record) -> Path:
        """Return the folder of a record's files, whether they are there or not."""
        return self.attempts(record.key, record.kind) / record.attempt

    def result_folder(self, record: Record) -> Path:
        """Return the folder that holds a record's files.

        Raises:
            StoreError: if it is gone, or a file in it.
        """
        folder = self.result_place(record)
        lost = [folder] if not folder.is_dir() else []
        lost = lost or [folder / name for name in record.files if not (folder / name).is_file()]
        if lost and (folder / PARTIAL).is_file():
            raise StoreError(
                f"{lost[0]}: was left out when {record.kind} {record.key[:12]} was exported; "
                "import a file made with --weights all, or have it made again: rotlab invalidate "
                f"{record.key[:12]} --because TEXT"
            )
        if lost:
            raise StoreError(
                f"{lost[0]}: gone, though {record.kind} {record.key[:12]} has a record; "
                f"remove {folder.parents[1] / 'record.json'} to have it made again"
            )
        return folder

    def state_path(self, record: Record) -> Path:
        """Return where a record's training state lies, if it is kept."""
        return self.result_place(record) / CHECKPOINT

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
        folder = attempts / (attempt or new_attempt_id())
        making = attempts / f".{folder.name}"
        while (earlier := newest_attempt(attempts, fits)) is not None:
            try:
                shutil.copytree(earlier, making, ignore=_unfinished)
            except (FileNotFoundError, shutil.Error):
                if newest_attempt(attempts, fits) == earlier:
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
        try:
            create_json(home / RECORD, record_to_json(record), f".record-{attempt.name}.tmp")
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

    def is_withdrawn(self, key: str, kind: str, attempt: str) -> bool:
        """Say whether an attempt's result was taken out of use."""
        return (self.home(key, kind) / INVALID / f"{attempt}.json").exists()

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
        aside.mkdir(exist_ok=True)
        note = {"because": because, "time": time.time(), "record": record_to_json(record)}
        with contextlib.suppress(FileExistsError):
            create_json(aside / f"{record.attempt}.json", note, f".{record.attempt}.tmp")
        attempts = self.attempts(record.key, record.kind)
        for folder in attempts.iterdir() if attempts.exists() else ():  # of none the next goes on
            folder.rename(aside / folder.name)
        (home / RECORD).unlink(missing_ok=True)


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
