"""What a store holds that nothing needs: found and measured here, removed in `clear`."""

import contextlib
import os
import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from rotlab.store.files import StoreError, is_whole
from rotlab.store.layout import CHECKPOINT, IMPORT, INVALID, LEASE, TRASH
from rotlab.store.lease import is_held
from rotlab.store.needs import Needs, StageId
from rotlab.store.record import Record
from rotlab.store.results import newest_attempt
from rotlab.store.store import Store

CLASSES = {
    "attempts": "attempts that another went on from, or whose stage is done",
    "states": "training states that no study waits for: longer ones would begin anew",
    "invalid": "files of results that count no more; the reason stays",
    "logs": "logs of results that count no more",
    "unasked": "stages that no study asks for any more, with their results",
    "studies": "studies to be dropped: plans and journals",
    "temporary": "what writers left that were killed",
}
_KEY = re.compile(r"[0-9a-f]{16,}")
_OWN = ("attempts", "record.json", LEASE, "logs", INVALID)  # what a stage's folder may hold


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something to be removed, whole.

    Args:
        sort: one of CLASSES.
        path: a file or a folder.
        size: bytes in it.
        changed: when anything in it last did, in seconds since the epoch by the store's clock.
        stage: whose it is, if any one's.
        study: likewise.
    """

    sort: str
    path: Path
    size: int
    changed: float
    stage: StageId | None = None
    study: str | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found.

    Args:
        leftovers: that may go.
        young: that may not yet, for they changed not long ago.
        busy: stages at which somebody works, or that belong to a study that is being run.
        unread: records that cannot be read, and why; their stages are left as they are.
    """

    leftovers: tuple[Leftover, ...]
    young: tuple[Leftover, ...]
    busy: frozenset[StageId]
    unread: tuple[str, ...]


def survey(
    store: Store,
    needs: Needs,
    now: float,
    keep_s: float,
    study: str | None = None,
    drop: str | None = None,
    among: Collection[StageId] | None = None,
) -> Survey:
    """Return what could be removed.

    Args:
        store: to look at.
        needs: of its studies.
        now: by the store's clock.
        keep_s: what changed within so many seconds is left.
        study: to which this is limited: its folder, and stages of all its revisions.
        drop: a study that is to go, with all that only it asks for.
        among: stages to look at; None looks at all.
    """
    only = study or drop
    if among is None and only is not None:
        among = needs.once.get(only, frozenset())
    busy: set[StageId] = set()
    unread: list[str] = []
    found: list[Leftover] = []
    for home in _homes(store, among):
        stage = (home.parent.name, home.name)
        if stage in needs.held or is_held(home / LEASE, now):
            busy.add(stage)
            continue
        try:
            found += _of_stage(store, home, stage, needs)
        except StoreError as error:
            unread.append(str(error))
        except FileNotFoundError:  # somebody began to work at it, or swept it
            busy.add(stage)
    for name in needs.once:
        if name == drop:
            found.append(_measure("studies", store.study_folder(name), study=name))
        elif only in (None, name) and store.driver(name) is None:
            found += _of_study(store, name)
    found += [] if only else _of_root(store)
    old: list[Leftover] = []
    young: list[Leftover] = []
    for one in found:
        is_asked_for = one.sort == "studies" or one.path.name.startswith(TRASH)
        (old if is_asked_for or now - one.changed >= keep_s else young).append(one)
    return Survey(tuple(old), tuple(young), frozenset(busy), tuple(unread))


def _homes(store: Store, among: Collection[StageId] | None) -> Iterator[Path]:
    """The folders of stages; others that may lie in a store are none."""
    chosen = None if among is None else sorted(store.home(key, kind) for kind, key in among)
    for home in store.homes() if chosen is None else chosen:
        names = [path.name for path in _listed(home)] if _KEY.fullmatch(home.name) else []
        if any(name in _OWN or name.startswith(".") for name in names):
            yield home


def _of_stage(store: Store, home: Path, stage: StageId, needs: Needs) -> Iterator[Leftover]:
    kind, key = stage
    if stage not in needs.asked:
        yield _measure("unasked", home, stage)
        return
    record = store.record(key, kind)
    for sort, path in (*_withdrawn(home), *_half_written(home), *_attempts(store, stage, record)):
        yield _measure(sort, path, stage)
    if record is None:
        return
    for path in sorted(store.result_place(record).rglob("*")):
        if path.is_file() and not is_whole(path):
            yield _measure("temporary", path, stage)
    state = store.state_path(record)
    if state.is_file() and CHECKPOINT not in record.files and stage not in needs.awaited:
        yield _measure("states", state, stage)


def _withdrawn(home: Path) -> Iterator[tuple[str, Path]]:
    """Files of results that count no more, and what was said while they were made."""
    there = _listed(home / INVALID)
    yield from (("invalid", path) for path in there if path.is_dir())
    names = {path.name.removesuffix(".json") for path in there}
    logs = ((path.name.partition(".")[0], path) for path in _listed(home / "logs"))
    yield from (("logs", path) for name, path in logs if name in names)


def _half_written(home: Path) -> Iterator[tuple[str, Path]]:
    for path in (*_listed(home), *_listed(home / INVALID)):
        if path.is_file() and path.name.startswith("."):
            yield "temporary", path


def _attempts(store: Store, stage: StageId, record: Record | None) -> Iterator[tuple[str, Path]]:
    """All attempts but the one that is the result, or that the next one goes on from."""
    kind, key = stage
    attempts = store.attempts(key, kind)
    there = _listed(attempts)
    newest = newest_attempt(attempts) if there and record is None else None
    counts = store.result_place(record) if record is not None else newest
    for path in there:
        if path != counts:
            yield "temporary" if path.name.startswith(".") else "attempts", path


def _of_study(store: Store, name: str) -> Iterator[Leftover]:
    folder = store.study_folder(name)
    for pattern in ("stop-*", "driver-*.lock", ".*.tmp", "*.sent.*"):
        for path in sorted(folder.glob(pattern)):
            yield _measure("temporary", path, study=name)


def _of_root(store: Store) -> Iterator[Leftover]:
    for path in _listed(store.root):
        if path.name.startswith((TRASH, IMPORT)):
            yield _measure("temporary", path)


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _measure(
    sort: str, path: Path, stage: StageId | None = None, study: str | None = None
) -> Leftover:
    """Add up what is in a file or a folder; what vanishes meanwhile counts no more."""
    size, changed = 0, 0.0
    for one in _inside(path):
        with contextlib.suppress(FileNotFoundError):
            status = one.lstat()
            size += 0 if S_ISDIR(status.st_mode) else status.st_size
            changed = max(changed, status.st_mtime)
    return Leftover(sort, path, size, changed or time.time(), stage, study)


def _inside(path: Path) -> Iterator[Path]:
    yield path
    for folder, folders, files in os.walk(path):
        yield from (Path(folder, name) for name in (*folders, *files))
