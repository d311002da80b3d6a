"""Removal of what nothing needs. Each thing is gone for everybody at once, then its bytes.

A record goes with its result, or neither. Cut short in a folder store, it leaves a folder whose
name begins with `.trash-`, which the next one removes; how things go in a bucket says `trash`.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rotlab.store.layout import LEASE
from rotlab.store.lease import HeldElsewhereError, Lease, is_held, read_lease
from rotlab.store.leftovers import Leftover
from rotlab.store.needs import Needs, StageId
from rotlab.store.replica import far_of
from rotlab.store.store import Store
from rotlab.store.trash import Trash, trash_of
from rotlab.tracking.journal import Journal

_BY = "rotlab gc"  # holds the study


@dataclass(frozen=True, slots=True)
class Cleared:
    """What is gone.

    Args:
        gone: that was removed.
        left: that somebody has begun to use meanwhile.
        trash: that has taken it; the bytes are still to be freed.
    """

    gone: tuple[Leftover, ...]
    left: tuple[Leftover, ...]
    trash: Trash


def clear(
    store: Store, leftovers: Iterable[Leftover], now: float, check: Callable[[], None]
) -> Cleared:
    """Move things out of use; call it inside of `rotlab.store.gate.removing`.

    Studies go first: were results to go first and this be cut short, a study would lack its own.

    Args:
        store: that they lie in.
        leftovers: to be removed.
        now: by the store's clock.
        check: asked before each removal; raises if others may have stopped waiting for it.
    """
    name, trash = secrets.token_hex(6), trash_of(store, check)
    gone: list[Leftover] = []
    left: list[Leftover] = []
    ordered = sorted(
        leftovers, key=lambda one: (one.study is None, one.study or "", one.stage or ("", ""))
    )
    for (study, stage), group in groupby(ordered, key=lambda one: (one.study, one.stage)):
        things = list(group)
        with contextlib.ExitStack() as stack:
            if study is not None and stack.enter_context(store.driving(study, name, _BY)):
                left += things
                continue
            if stage is not None and not _hold(stack, store, stage, name, now):
                left += things
                continue
            for thing in things:
                trash.take(thing.path)
                gone.append(thing)
    trash.close()
    return Cleared(tuple(gone), tuple(left), trash)


def free(cleared: Cleared) -> None:
    """Free the bytes of what was moved out of use, and of what an earlier clearing left."""
    cleared.trash.free()


def tell(store: Store, gone: Sequence[Leftover], needs: Needs) -> Mapping[str, int]:
    """Journal, in studies that once had them, which results are gone; return study -> how many."""
    removed = {one.stage for one in gone if one.sort == "unasked" and one.stage is not None}
    told = {}
    left = set(store.study_names())
    for name, stages in needs.once.items():
        keys = sorted(key for kind, key in stages & removed)
        if not keys or name not in left:
            continue
        told[name] = len(keys)
        with store.driving(name, secrets.token_hex(6), _BY) as other:
            if other is None:
                journal = Journal(store.journal_path(name))
                journal.append({"event": "results_removed", "time": time.time(), "keys": keys})
                journal.close()
    return told


def _hold(stack: contextlib.ExitStack, store: Store, stage: StageId, name: str, now: float) -> bool:
    """Have nobody begin to work at a stage; return whether that is so."""
    kind, key = stage
    path = store.home(key, kind) / LEASE
    if far_of(path) is None and not path.parent.is_dir():
        return False
    stale = None if is_held(path, now) else read_lease(path)
    try:
        stack.enter_context(Lease(path, name, stale, lambda: True))
    except (HeldElsewhereError, FileNotFoundError):
        return False
    return True
