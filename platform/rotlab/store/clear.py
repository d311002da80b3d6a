"""Removal of what nothing needs. Each thing goes by one rename, then its bytes.

What is renamed away is gone for everybody at once: a record with its result, or nothing. Cut short,
it leaves a folder whose name begins with `.trash-`, which the next one removes.
"""

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rotlab.store.files import flush_folder
from rotlab.store.layout import LEASE, TRASH
from rotlab.store.lease import HeldElsewhereError, Lease, is_held, read_lease
from rotlab.store.leftovers import Leftover
from rotlab.store.needs import Needs, StageId
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal

_BY = "rotlab gc"  # holds the study


@dataclass(frozen=True, slots=True)
class Cleared:
    """What is gone.

    Args:
        gone: that was removed.
        left: that somebody has begun to use meanwhile.
        trash: folder that holds what was removed; its bytes are still to be freed.
    """

    gone: tuple[Leftover, ...]
    left: tuple[Leftover, ...]
    trash: Path


def clear(store: Store, leftovers: Iterable[Leftover], now: float) -> Cleared:
    """Move things out of use; call it inside of `rotlab.store.gate.removing`.

    Studies go first: were results to go first and this be cut short, a study would lack its own.

    Args:
        store: that they lie in.
        leftovers: to be removed.
        now: by the store's clock.
    """
    name = f"{TRASH}{secrets.token_hex(6)}"
    trash = store.root / name
    trash.mkdir()
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
                with contextlib.suppress(FileNotFoundError):
                    thing.path.rename(trash / str(len(gone)))
                gone.append(thing)
    flush_folder(store.root)
    return Cleared(tuple(gone), tuple(left), trash)


def free(cleared: Cleared) -> None:
    """Free the bytes of what was moved out of use, and of what an earlier clearing left."""
    shutil.rmtree(cleared.trash, ignore_errors=True)


def tell(store: Store, gone: Sequence[Leftover], needs: Needs) -> Mapping[str, int]:
    """Journal, in studies that once had them, which results are gone; return study -> how many."""
    removed = {one.stage for one in gone if one.sort == "unasked" and one.stage is not None}
    told = {}
    for name, stages in needs.once.items():
        keys = sorted(key for kind, key in stages & removed)
        if not keys or not store.study_folder(name).is_dir():
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
    if not path.parent.is_dir():
        return False
    stale = None if is_held(path, now) else read_lease(path)
    try:
        stack.enter_context(Lease(path, name, stale, lambda: True))
    except (HeldElsewhereError, FileNotFoundError):
        return False
    return True
