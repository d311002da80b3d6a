"""What lies in a store, as who clears it up sees it: files, folders, their sizes and ages.

A folder store is asked as it is now; of a bucket one listing is taken, of all that it holds.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from stat import S_ISDIR
from typing import Protocol

from rotlab.store.layout import IMPORT, OTHERS
from rotlab.store.mirror import CONTENT, LIST, contents
from rotlab.store.objects import Listed
from rotlab.store.replica import Far, far_of
from rotlab.store.results import newest_attempt
from rotlab.store.store import Store


class Holdings(Protocol):
    """What lies in a store."""

    def homes(self) -> list[Path]:
        """Return the folders two deep that may be those of stages, sorted."""

    def listed(self, folder: Path) -> list[Path]:
        """Return what lies in a folder, sorted; nothing where it is not there."""

    def is_folder(self, path: Path) -> bool:
        """Say whether a path is a folder."""

    def is_there(self, path: Path) -> bool:
        """Say whether there is such a file."""

    def files(self, folder: Path) -> list[Path]:
        """Return all files below a folder, sorted."""

    def begun(self, home: Path) -> list[Path]:
        """Return what the next attempt at a stage that is not done goes on from."""

    def measure(self, path: Path) -> tuple[int, float]:
        """Return the bytes in a file or folder, and when anything in it last changed."""


def holdings_of(store: Store) -> Holdings:
    """Return what lies in a store."""
    far = far_of(store.root)
    return FolderHoldings(store) if far is None else BucketHoldings(store, far)


class FolderHoldings:
    """What lies in a folder store; what vanishes while it is looked at counts no more."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def homes(self) -> list[Path]:
        """Return the folders two deep that may be those of stages, sorted."""
        return self._store.homes()

    def listed(self, folder: Path) -> list[Path]:
        """Return what lies in a folder, sorted; nothing where it is not there."""
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def is_folder(self, path: Path) -> bool:
        """Say whether a path is a folder."""
        return path.is_dir()

    def is_there(self, path: Path) -> bool:
        """Say whether there is such a file."""
        return path.is_file()

    def files(self, folder: Path) -> list[Path]:
        """Return all files below a folder, sorted."""
        return sorted(path for path in folder.rglob("*") if path.is_file())

    def begun(self, home: Path) -> list[Path]:
        """Return what the next attempt at a stage that is not done goes on from."""
        attempts = home / "attempts"
        newest = newest_attempt(attempts) if self.listed(attempts) else None
        return [] if newest is None else [newest]

    def measure(self, path: Path) -> tuple[int, float]:
        """Return the bytes in a file or folder, and when anything in it last changed."""
        size, changed = 0, 0.0
        for one in _inside(path):
            with contextlib.suppress(FileNotFoundError):
                status = one.lstat()
                size += 0 if S_ISDIR(status.st_mode) else status.st_size
                changed = max(changed, status.st_mtime)
        return size, changed or time.time()


class BucketHoldings:
    """What lies in the bucket of a store at a URL; and what this node has of no bucket's."""

    def __init__(self, store: Store, far: Far) -> None:
        self._root, self._here = store.root, FolderHoldings(store)
        found = far.bucket.listed(far.name, deep=True)
        self._below: dict[Path, list[Path]] = {}
        self._objects: Mapping[Path, Listed] = {
            self._root / name: one for name, one in found.items() if one is not None
        }
        for path in sorted(self._objects):
            self._enter(path)

    def homes(self) -> list[Path]:
        """Return the folders two deep that may be those of stages, sorted."""
        kinds = [one for one in self.listed(self._root) if one.name not in OTHERS]
        return [
            home
            for kind in kinds
            if self.is_folder(kind) and not kind.name.startswith(".")
            for home in self.listed(kind)
            if self.is_folder(home)
        ]

    def listed(self, folder: Path) -> list[Path]:
        """Return what lies in a folder, sorted; of the store, what is being imported here, too."""
        own = self._here.listed(folder) if folder == self._root else []
        imports = [path for path in own if path.name.startswith(IMPORT)]
        return sorted([*self._below.get(folder, []), *imports])

    def is_folder(self, path: Path) -> bool:
        """Say whether a path is a folder."""
        return path in self._below

    def is_there(self, path: Path) -> bool:
        """Say whether there is such a file."""
        return path in self._objects

    def files(self, folder: Path) -> list[Path]:
        """Return all files below a folder, sorted."""
        return sorted(self._files(folder))

    def begun(self, home: Path) -> list[Path]:
        """Return what the next attempt at a stage that is not done goes on from."""
        if home / LIST not in self._objects:
            return []
        return [home / LIST, *(home / CONTENT / name for name in contents(home))]

    def measure(self, path: Path) -> tuple[int, float]:
        """Return the bytes in a file or folder, and when anything in it last changed."""
        found = [self._objects[one] for one in self._files(path)]
        if not found:
            return self._here.measure(path)
        return sum(one.size for one in found), max(one.changed for one in found)

    def _enter(self, path: Path) -> None:
        while path != self._root:
            beside = self._below.setdefault(path.parent, [])
            if beside and beside[-1] == path:
                return
            beside.append(path)
            path = path.parent

    def _files(self, path: Path) -> Iterator[Path]:
        if path in self._objects:
            yield path
        for one in self._below.get(path, ()):
            yield from self._files(one)


def _inside(path: Path) -> Iterable[Path]:
    yield path
    for folder, folders, files in os.walk(path):
        yield from (Path(folder, name) for name in (*folders, *files))
