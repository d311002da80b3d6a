"""Where what is to be removed goes: in a folder store away by one rename, in a bucket at once.

In a bucket nothing can be renamed. There what makes a thing count goes by a request of its own: a
result's record first, a study's last plan last. Cut short, it leaves a result whole or none, and of
a study its last plan; what else is left, the next `rotlab gc` finds again.
"""

import contextlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rotlab.store.bucket import BATCH
from rotlab.store.files import flush_folder
from rotlab.store.layout import LEASE, RECORD, TRASH
from rotlab.store.replica import Far, far_of
from rotlab.store.store import Store
from rotlab.store.tenure import FIRST

_PATIENCE_S = 10.0  # less than a lease needs to be stale, so that no late request can do harm


class Trash(Protocol):
    """Takes what is to be removed."""

    def take(self, path: Path) -> None:
        """Have a file or folder out of use; one that is gone already is no matter."""

    def close(self) -> None:
        """Make sure that what was taken stays out of use."""

    def free(self) -> None:
        """Free the bytes of what was taken."""


def trash_of(store: Store, check: Callable[[], None]) -> Trash:
    """Return where things of a store go that are to be removed.

    Args:
        store: that holds them.
        check: raises if nothing may be removed any more; see `rotlab.store.gate.removing`.
    """
    is_folder = far_of(store.root) is None
    return FolderTrash(store.root, check) if is_folder else BucketTrash(check)


class FolderTrash:
    """A folder beside what it takes, and what it took still in it."""

    def __init__(self, root: Path, check: Callable[[], None]) -> None:
        self._root, self._check, self._taken = root, check, 0
        self._folder = root / f"{TRASH}{secrets.token_hex(6)}"
        self._folder.mkdir()

    def take(self, path: Path) -> None:
        """Rename a file or folder away."""
        self._check()
        with contextlib.suppress(FileNotFoundError):
            path.rename(self._folder / str(self._taken))
        self._taken += 1

    def close(self) -> None:
        """Bring what was renamed to disk."""
        flush_folder(self._root)

    def free(self) -> None:
        """Free the bytes."""
        shutil.rmtree(self._folder, ignore_errors=True)


class BucketTrash:
    """Removes from the bucket, and then what this node has of it."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check

    def take(self, path: Path) -> None:
        """Remove a file or folder, but the lease by which it is held meanwhile."""
        far = far_of(path)
        assert far is not None  # noqa: S101  (of a store at a URL)
        hasty = replace(far.bucket, patience_s=_PATIENCE_S)
        for names in _in_order(Far(hasty, far.name)):
            for first in range(0, len(names), BATCH):
                self._check()
                hasty.remove(*names[first : first + BATCH])
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Do nothing: what is removed is."""

    def free(self) -> None:
        """Do nothing, likewise."""


def _in_order(far: Far) -> Iterator[list[str]]:
    """The objects of a thing, in the order in which they are to go."""
    there = [name for name in far.bucket.listed(far.name, deep=True) if name not in (LEASE, FIRST)]
    if RECORD in there:
        yield [f"{far.name}/{RECORD}"]
    plans = sorted(
        (name for name in there if name.removesuffix(".json").isdecimal()),
        key=lambda name: int(name.removesuffix(".json")),
    )
    last = plans[-1:]
    yield [
        far.name,
        *(f"{far.name}/{name}" for name in there if name != RECORD and name not in last),
    ]
    yield [f"{far.name}/{name}" for name in last]
