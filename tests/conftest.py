"""What every test may use: small data sets prepared once, one thread for torch, its own cache."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from rotnet.data.catalog import FolderKind
from rotnet.data.manifest import Manifest
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from rotnet.data.synthetic import write_videos

# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts a Ray comes first: it takes longest, and the rest fills what time is left."""
    items.sort(key=lambda item: item.get_closest_marker("cluster") is None)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Results are bit-equal for equal numbers of threads only."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def heeded_ctrl_c() -> None:
    """What tests start ends on Ctrl-C, even where they themselves were started to ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is kept in, or taken from, the cache of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROTNET_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("ROTNET_CACHE_GB", raising=False)
        yield


@pytest.fixture(scope="session")
def actions(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """A labelled synthetic set of 32 videos."""
    folder = tmp_path_factory.mktemp("actions")
    write_videos(folder / "videos", num_videos=32, seed=0)
    storage = Storage(short_side=24)
    return prepare(folder / "videos", folder / "set", FolderKind(), storage=storage).manifest


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """An unlabelled synthetic set of 20 videos."""
    folder = tmp_path_factory.mktemp("pool")
    write_videos(folder / "videos", num_videos=20, seed=1, pool=True)
    storage = Storage(short_side=24)
    return prepare(folder / "videos", folder / "set", FolderKind(), storage=storage).manifest


@pytest.fixture
def shared_data() -> Path:
    """The folder of real videos beside the checkout; skips where there is none."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real videos at {folder}")
    return folder
