"""What a store holds that nothing needs: found and measured here, removed in `clear`."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from rotlab.store.files import StoreError, is_whole
from rotlab.store.holdings import Holdings, holdings_of
from rotlab.store.layout import CHECKPOINT, COUNTING, IMPORT, INVALID, LEASE, TRASH
from rotlab.store.lease import is_held
from rotlab.store.mirror import CONTENT, LIST
from rotlab.store.needs import Needs, StageId
from rotlab.store.record import Record
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
# What a stage's folder may hold.
_OWN = ("attempts", "record.json", LEASE, "logs", INVALID, LIST, CONTENT)
_LEFT_IN_STUDIES = ("stop-*", "driver-*.lock", ".*.tmp", "*.sent.*")


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
    held = holdings_of(store)
    busy: set[StageId] = set()
    unread: list[str] = []
    found: list[Leftover] = []
    look = _Looking(store, held, needs)
    for home in _homes(store, held, among):
        stage = (home.parent.name, home.name)
        is_leased = held.is_there(home / LEASE) and is_held(home / LEASE, now)
        if stage in needs.held or is_leased:
            busy.add(stage)
            continue
        try:
            found += look.at_stage(home, stage)
        except StoreError as error:
            unread.append(str(error))
        except FileNotFoundError:  # somebody began to work at it, or swept it
            busy.add(stage)
    for name in needs.once:
        if name == drop:
            found.append(look.measured("studies", store.study_folder(name), study=name))
        elif only in (None, name) and store.driver(name) is None:
            found += look.at_study(name)
    found += [] if only else look.at_root(now)
    old: list[Leftover] = []
    young: list[Leftover] = []
    for one in found:
        is_asked_for = one.sort == "studies" or one.path.name.startswith(TRASH)
        (old if is_asked_for or now - one.changed >= keep_s else young).append(one)
    return Survey(tuple(old), tuple(young), frozenset(busy), tuple(unread))


def _homes(store: Store, held: Holdings, among: Collection[StageId] | None) -> Iterator[Path]:
    """The folders of stages; others that may lie in a store are none."""
    chosen = None if among is None else sorted(store.home(key, kind) for kind, key in among)
    for home in held.homes() if chosen is None else chosen:
        names = [path.name for path in held.listed(home)] if _KEY.fullmatch(home.name) else []
        if any(name in _OWN or name.startswith(".") for name in names):
            yield home


@dataclass(frozen=True, slots=True)
class _Looking:
    """Looks for what is left over in a store."""

    store: Store
    held: Holdings
    needs: Needs

    def at_stage(self, home: Path, stage: StageId) -> Iterator[Leftover]:
        """Find what a stage has that nothing needs."""
        kind, key = stage
        if stage not in self.needs.asked:
            yield self.measured("unasked", home, stage)
            return
        record = self.store.record(key, kind)
        withdrawn = {path.stem for path in self.held.listed(home / INVALID)}
        for sort, path in (
            *self._withdrawn(home, withdrawn),
            *self._half_written(home),
            *self._attempts(home, record, withdrawn),
            *self._states(home, record),
        ):
            yield self.measured(sort, path, stage)
        if record is None:
            return
        place = self.store.result_place(record)
        for path in self.held.files(place):
            if not is_whole(path):
                yield self.measured("temporary", path, stage)
            elif path == place / CHECKPOINT and not (
                CHECKPOINT in record.files or stage in self.needs.awaited
            ):
                yield self.measured("states", path, stage)

    def at_study(self, name: str) -> Iterator[Leftover]:
        """Find what ended runs have left in a study's folder."""
        for path in self.held.listed(self.store.study_folder(name)):
            if any(fnmatch(path.name, pattern) for pattern in _LEFT_IN_STUDIES):
                yield self.measured("temporary", path, study=name)

    def at_root(self, now: float) -> Iterator[Leftover]:
        """Find what writers have left that were killed."""
        for path in self.held.listed(self.store.root):
            if path.name.startswith((TRASH, IMPORT)):
                yield self.measured("temporary", path)
        for path in self.held.listed(self.store.root / COUNTING):
            if not is_held(path, now):
                yield self.measured("temporary", path)

    def measured(
        self,
        sort: str,
        path: Path,
        stage: StageId | None = None,
        study: str | None = None,
    ) -> Leftover:
        """Return it with its size and age."""
        return Leftover(sort, path, *self.held.measure(path), stage, study)

    def _withdrawn(self, home: Path, names: Collection[str]) -> Iterator[tuple[str, Path]]:
        """Files of results that count no more, and what was said while they were made."""
        there = self.held.listed(home / INVALID)
        yield from (("invalid", path) for path in there if self.held.is_folder(path))
        logs = ((path.name.partition(".")[0], path) for path in self.held.listed(home / "logs"))
        yield from (("logs", path) for name, path in logs if name in names)

    def _half_written(self, home: Path) -> Iterator[tuple[str, Path]]:
        for path in (*self.held.listed(home), *self.held.listed(home / INVALID)):
            if path.name.startswith(".") and not self.held.is_folder(path):
                yield "temporary", path

    def _attempts(
        self, home: Path, record: Record | None, withdrawn: Collection[str]
    ) -> Iterator[tuple[str, Path]]:
        """All attempts but the one that is the result, or that the next one goes on from."""
        counts = [self.store.result_place(record)] if record else self.held.begun(home)
        for path in self.held.listed(home / "attempts"):
            if path in counts:
                continue
            if path.name.startswith("."):
                yield "temporary", path
            else:  # a bucket keeps files of a withdrawn result where they were
                yield "invalid" if path.name in withdrawn else "attempts", path

    def _states(self, home: Path, record: Record | None) -> Iterator[tuple[str, Path]]:
        """What a bucket has for going on: all once the stage is done, else what is none of it."""
        counts = [] if record else self.held.begun(home)
        for path in (home / LIST, *self.held.files(home / CONTENT)):
            if path in counts or not self.held.is_there(path):
                continue
            yield "attempts" if record else "temporary", path
