"""A cache that nothing was kept in before, and object storage in memory."""

import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from rotnet.data import location
from rotnet.data.framestore import remote, staged
from tests.rotnet.data.framestore.storage import Storage


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The node's cache folder, which is not there yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ROTNET_CACHE", str(folder))
    monkeypatch.delenv("ROTNET_CACHE_GB", raising=False)
    return folder


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """An empty bucket, whose errors are not waited for."""
    monkeypatch.setattr(remote, "PAUSE_S", 0.0)
    found = Storage(f"memory://{uuid4().hex}", remote.fetch)
    for user in (staged, location):
        monkeypatch.setattr(user, "fetch", found.read)
    yield found
    for thread in threading.enumerate():
        if thread.name == "staging":
            thread.join()
    fs = fsspec.filesystem("memory")
    if fs.exists(found.url):
        fs.rm(found.url, recursive=True)
