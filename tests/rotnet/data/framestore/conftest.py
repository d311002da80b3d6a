"""A cache that nothing was kept in before."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The node's cache folder, which is not there yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ROTNET_CACHE", str(folder))
    monkeypatch.delenv("ROTNET_CACHE_GB", raising=False)
    return folder
