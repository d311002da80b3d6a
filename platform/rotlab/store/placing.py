"""A study that was read from a file, put into a store: what is there already stays as it is."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, fields
from graphlib import TopologicalSorter
from pathlib import Path

from rotlab.store.carrying import send_away, send_files
from rotlab.store.files import create_json, flush_folder, remove
from rotlab.store.layout import CHECKPOINT, PARTIAL, RECORD
from rotlab.store.lease import HeldElsewhereError, Lease
from rotlab.store.record import Record, record_to_json
from rotlab.store.replica import far_of
from rotlab.store.store import Store, StoreError
from rotlab.store.unpack import Bundle

BY = "rotlab import"  # holds the study
_LEFT_OUT = ("other", "withdrawn", "busy", "orphaned")


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of the records of a file, by key.

    Args:
        added: put into the store.
        filled: there already without some of their files, which have been added.
        same: there already.
        other: left out, for the store has another result of the same work.
        withdrawn: left out, for that result was withdrawn in this store.
        busy: left out, for somebody works at the stage.
        orphaned: left out, for so was a result that it was made from.
    """

    added: tuple[str, ...]
    filled: tuple[str, ...]
    same: tuple[str, ...]
    other: tuple[str, ...]
    withdrawn: tuple[str, ...]
    busy: tuple[str, ...]
    orphaned: tuple[str, ...]


def place(bundle: Bundle, store: Store, check: Callable[[], None]) -> Placed:
    """Put a study into a store, its results first: the study is there once they are.

    Call it inside of `rotlab.store.gate.counting`. Cut short, it leaves whole results; called
    again it ends what it began.

    Args:
        bundle: the study.
        store: that it is put into.
        check: raises if something may have been removed meanwhile, as that gives it.

    Raises:
        StoreError: before anything is put there: the store has another study of the name, or it is
            being run.
    """
    check_study(bundle, store)
    name = bundle.study.name
    with store.driving(name, secrets.token_hex(6), BY) as other:
        if other is not None:
            raise StoreError(f"study {name!r} is being run by {other}; import it once that is over")
        found: dict[str, list[str]] = {one.name: [] for one in fields(Placed)}
        left_out: set[str] = set()
        for key in _parents_first(bundle.records):
            sort = _place_record(bundle, store, bundle.records[key], left_out)
            found[sort].append(key)
            if sort in _LEFT_OUT:
                left_out.add(key)
        for place, decision in bundle.decisions().items():
            with contextlib.suppress(FileExistsError):  # what was decided here first, counts
                _place_decision(decision, store.root / place)
        for journal in bundle.journals():
            _place_journal(store, name, journal)
        check()
        for study in bundle.revisions:
            store.save_study(study)
    return Placed(**{sort: tuple(keys) for sort, keys in found.items()})


def check_study(bundle: Bundle, store: Store) -> None:
    """Return if the store has no other study of the name.

    Raises:
        StoreError: if it has: a revision that both have differs.
    """
    name = bundle.study.name
    there = {one.revision: one for one in store.revisions(name)}
    for study in bundle.revisions:
        if there.get(study.revision, study) != study:
            raise StoreError(
                f"study {name!r} in {store.name} is another: its revision {study.revision} differs "
                "from that in the file; give --store another path"
            )


def _parents_first(records: Mapping[str, Record]) -> list[str]:
    behind = {key: [one for one in r.parents if one in records] for key, r in records.items()}
    return list(TopologicalSorter(behind).static_order())


def _place_record(bundle: Bundle, store: Store, record: Record, left_out: Set[str]) -> str:
    there = store.record(record.key, record.kind)
    home = store.home(record.key, record.kind)
    if there is not None and there != record:
        return "other"
    if there is None and store.is_withdrawn(record.key, record.kind, record.attempt):
        return "withdrawn"
    if there is None and not left_out.isdisjoint(record.parents):
        return "orphaned"
    home.mkdir(parents=True, exist_ok=True)
    name = f"import-{secrets.token_hex(4)}"
    try:
        with Lease(home / "lease.json", name, None, lambda: True):
            if there is not None:
                return "filled" if _fill(bundle, store, record) else "same"
            return _add(bundle, store, record)
    except HeldElsewhereError:
        return "busy"


def _add(bundle: Bundle, store: Store, record: Record) -> str:
    """Put a result beside its place, whole, then there; then its record.

    To a bucket its files go from its place, before the record does.
    """
    attempts = store.attempts(record.key, record.kind)
    attempts.mkdir(exist_ok=True)
    making = attempts / f".{secrets.token_hex(6)}"
    making.mkdir()
    _move_files(bundle, record, making)
    target = store.result_place(record)
    shutil.rmtree(target, ignore_errors=True)  # of an import that was cut short
    making.rename(target)
    flush_folder(attempts)
    send_files(target, [path.relative_to(target).as_posix() for path in _files(target)])
    home = store.home(record.key, record.kind)
    try:
        create_json(home / RECORD, record_to_json(record), f".record-{making.name}.tmp")
    except FileExistsError:  # one that takes no heed of leases came first
        send_away(target)
        shutil.rmtree(target, ignore_errors=True)
        return "other"
    return "added"


def _fill(bundle: Bundle, store: Store, record: Record) -> bool:
    """Add the files to a result that it lacks; return whether there were any."""
    folder = store.result_place(record)
    folder.mkdir(parents=True, exist_ok=True)
    far = far_of(folder)
    if far is None:
        return bool(_move_files(bundle, record, folder))
    there = far.bucket.listed(far.name, deep=True)
    lacking = {n: one for n, one in _brought(bundle, record).items() if n not in there}
    for name, source in lacking.items():
        far.bucket.upload(source, f"{far.name}/{name}")
    if {*there, *lacking}.issuperset(record.files):
        remove(folder / PARTIAL)
    return bool(lacking)


def _move_files(bundle: Bundle, record: Record, folder: Path) -> int:
    """Put a result's files into a folder, but those that it has; return how many."""
    moved = 0
    for name, source in _brought(bundle, record).items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            source.rename(path)
            moved += 1
    if all((folder / name).is_file() for name in record.files):
        (folder / PARTIAL).unlink(missing_ok=True)
    else:
        (folder / PARTIAL).touch()
    return moved


def _brought(bundle: Bundle, record: Record) -> dict[str, Path]:
    """Where what a file has of a result lies, with its training state, by name."""
    state = bundle.state(record)
    return bundle.result_files(record) | ({} if state is None else {CHECKPOINT: state})


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _place_decision(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = json.loads(source.read_text(encoding="utf-8"))
    create_json(path, values, f".{secrets.token_hex(6)}.tmp")


def _place_journal(store: Store, name: str, source: Path) -> None:
    """Put there what of a journal no other has, beside the one of its name: an hour counts once."""
    path = store.study_folder(name) / source.name
    if path.exists():
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        path = store.journal_path(name, f"import-{digest[:12]}")
    known = {line for one in store.journals(name) for line in _lines(one)}
    if known:
        news = source.with_name(f"{source.name}.new")
        with source.open("rb") as whole, news.open("wb") as file:
            file.writelines(line for line in whole if _digest(line) not in known)
            file.flush()
            os.fsync(file.fileno())
        if not news.stat().st_size:
            return
        source = news
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(source)
    if path != store.journal_path(name):  # that one goes to a bucket by who holds the study
        send_files(path.parent, [path.name])


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from map(_digest, file)


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line.rstrip(b"\n"), digest_size=16).digest()
