"""Machines that have nothing in common but the bucket of a store."""

from pathlib import Path

import pytest

from rotlab.store.store import Store


class Nodes:
    """Each has a cache of its own."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch = folder, patch

    def __call__(self, name: str, store: str) -> Store:
        """Return a store as one of them has it."""
        self._patch.setenv("ROTNET_CACHE", str(self._folder / name))
        return Store.open(store)
