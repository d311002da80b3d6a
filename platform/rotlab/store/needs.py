"""What the studies of a store need of it: which stages, and which training states."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import StageKind
from rotlab.store.added import added, ever_added, max_told
from rotlab.store.courier import bring_journals
from rotlab.store.files import StoreError
from rotlab.store.replica import told
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy
from rotnet.errors import UserError

StageId = tuple[str, str]  # kind, key


@dataclass(frozen=True, slots=True)
class Needs:
    """What is needed, and by whom.

    Args:
        asked: stages of the last revision of some study.
        once: study -> stages of all its revisions.
        held: stages of all revisions of studies that are being run.
        awaited: stages whose training state a longer one that is not done is to go on from.
        unread: studies whose plans cannot be read here, and why; of their stages every training
            state counts as awaited.
    """

    asked: frozenset[StageId]
    once: Mapping[str, frozenset[StageId]]
    held: frozenset[StageId]
    awaited: frozenset[StageId]
    unread: Mapping[str, str]


def needs_of(store: Store, kinds: Mapping[str, StageKind], but: str | None = None) -> Needs:
    """Return what the studies of a store need.

    Args:
        store: that holds them.
        kinds: stage kinds by name.
        but: a study that counts no more.

    Raises:
        StoreError: if a study's plan cannot be read, or is gone: what it needs is then not known.
    """
    asked: set[StageId] = set()
    once: dict[str, frozenset[StageId]] = {}
    held: set[StageId] = set()
    awaited: set[StageId] = set()
    unread: dict[str, str] = {}
    for name in store.study_names():
        is_run = store.driver(name) is not None  # before its revisions: one may begin meanwhile
        bring_journals(store.study_folder(name))
        revisions = list(_readable(store, name)) if name == but else _revisions(store, name)
        if not revisions:
            once |= {name: frozenset()} if name == but else {}
            continue
        grown = frozenset((kind, key) for key, kind in added(store, revisions[-1]).items())
        ever = {(kind, key) for key, kind in ever_added(store, name).items()}
        once[name] = frozenset(ever.union(*map(_stages, revisions)))
        if is_run:
            held |= once[name]
        if name == but:
            continue
        last = grown | set(_stages(revisions[-1]))
        asked |= last
        try:
            plan = revisions[-1].load_plan(kinds)
            awaited |= set(_awaited(store, plan))
            if plan.awaited and any(one.population for one in plan.tunings.values()):
                awaited |= last  # which of its members go on is not decided yet
        except UserError as error:
            unread[name] = str(error)
            awaited |= last
    return Needs(frozenset(asked), once, frozenset(held), frozenset(awaited), unread)


def _revisions(store: Store, name: str) -> list[SavedStudy]:
    """All revisions of a study; none where nothing was run."""
    number = max_told(store, name)
    if number > max(store.numbers(name), default=0):
        raise StoreError(
            f"{told(store.revision_path(name, number))}: is gone, though the study was run by it; "
            f"run its file again, or remove {told(store.study_folder(name))} if nothing of it is "
            "needed"
        )
    return store.revisions(name)


def _readable(store: Store, name: str) -> Iterator[SavedStudy]:
    """What can be read of a study that is to go."""
    for number in store.numbers(name):
        with contextlib.suppress(UserError):
            yield store.revision(name, number)


def _stages(study: SavedStudy) -> Iterable[StageId]:
    return ((stage["kind"], stage["key"]) for stage in study.plan["stages"])


def _awaited(store: Store, plan: Plan) -> Iterable[StageId]:
    """All that a longer training may go on from, if its next shorter one's state is unsound."""
    for longer in plan.continues:
        if store.record(longer, plan.stages[longer].kind) is not None:
            continue
        shorter = plan.continues.get(longer)
        while shorter is not None:
            yield plan.stages[shorter].kind, shorter
            shorter = plan.continues.get(shorter)
