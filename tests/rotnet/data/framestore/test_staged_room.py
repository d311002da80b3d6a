"""How many shards of object storage come here: within a bound that sets share."""

import fcntl
import gc
import os
import threading
from pathlib import Path

import pytest

from rotnet.data.frames import FrameReader
from rotnet.data.framestore import packing
from rotnet.data.framestore.layout import shard_name
from rotnet.data.framestore.staged import bound
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.errors import DataError
from tests.rotnet.data.framestore.storage import Storage, shards_in, staging, until
from tests.rotnet.data.framestore.uploads import SHARD, same, uploaded


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every video is in a shard of its own."""
    monkeypatch.setattr(packing, "SHARD_BYTES", 1)


def test_a_bound_that_nothing_fits_in_leaves_clips_where_they_are(
    bucket: Storage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("ROTNET_CACHE_GB", str((SHARD - 1) / 1e9))
    local, remote = uploaded(bucket, tmp_path)
    reader = FrameReader(remote.folder, videos=remote.videos)
    staging(reader).wait()
    same(local, reader)
    assert shards_in(remote.folder) == bucket.staged == []
    (warning,) = caplog.messages
    assert "no room for 4 of 4 files" in warning
    assert "ROTNET_CACHE_GB" in warning


def test_what_fits_is_staged_and_the_rest_is_read_where_it_is(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTNET_CACHE_GB", str(2.5 * SHARD / 1e9))
    local, remote = uploaded(bucket, tmp_path)
    reader = FrameReader(remote.folder, videos=remote.videos)
    staging(reader).wait()
    same(local, reader)
    assert shards_in(remote.folder) == [shard_name(0), shard_name(1)]


def staged_set(bucket: Storage, tmp_path: Path, name: str, count: int) -> FrameReader:
    """Upload a set of other videos, and stage some of them."""
    _, remote = uploaded(bucket, tmp_path, name=name, seed=100 * len(bucket.staged))
    reader = FrameReader(remote.folder, videos=remote.videos[:count])
    staging(reader).wait()
    return reader


def test_idle_sets_make_room_those_used_longest_ago_first(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTNET_CACHE_GB", str(5 * SHARD / 1e9))
    one, two, three = (staged_set(bucket, tmp_path, name, 1) for name in ("one", "two", "three"))
    folders = [reader._folder for reader in (one, two, three)]
    for reader, folder, age in zip((one, two, three), folders, (100, 300, 200), strict=True):
        staging(reader).close()
        os.utime(folder, (10**9 - age, 10**9 - age))
    staging(staged_set(bucket, tmp_path, "four", 4)).close()
    assert [len(shards_in(folder)) for folder in folders] == [1, 0, 0]
    again = Manifest.load(local_folder(f"{bucket.url}/two"))
    same(Manifest.load(tmp_path / "two"), FrameReader(again.folder, videos=again.videos))


def test_sets_in_use_never_make_room(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTNET_CACHE_GB", str(3 * SHARD / 1e9))
    used = staged_set(bucket, tmp_path, "used", 2)
    os.utime(used._folder, (1, 1))
    other = staged_set(bucket, tmp_path, "other", 4)
    assert len(shards_in(used._folder)) == 2
    assert len(shards_in(other._folder)) == 1
    same(Manifest.load(tmp_path / "other"), other)
    staging(used).close()
    folder = other._folder
    staging(other).close()
    reader = FrameReader(folder, videos=Manifest.load(folder).videos)
    staging(reader).wait()
    assert len(shards_in(used._folder)) == 0
    assert len(shards_in(folder)) == 3


def test_a_reader_that_is_dropped_lets_go_of_its_set(bucket: Storage, tmp_path: Path) -> None:
    reader = staged_set(bucket, tmp_path, "set", 1)
    with (reader._folder / "in-use").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        del reader
        gc.collect()
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_sets_staged_at_once_keep_the_bound_together(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on its way counts as if it were here."""
    monkeypatch.setenv("ROTNET_CACHE_GB", str(1.5 * SHARD / 1e9))
    _, one = uploaded(bucket, tmp_path, name="one")
    _, two = uploaded(bucket, tmp_path, name="two", seed=50)
    with bucket.held():
        first = FrameReader(one.folder, videos=one.videos[:1])
        until(lambda: len(bucket.staged) == 1)
        second = FrameReader(two.folder, videos=two.videos[:1])
        until(lambda: not staging(second)._thread.is_alive() or len(bucket.staged) > 1)
        assert len(bucket.staged) == 1
    staging(first).wait()
    assert (len(shards_in(one.folder)), len(shards_in(two.folder))) == (1, 0)


def test_pieces_of_ended_processes_do_not_take_room_for_ever(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTNET_CACHE_GB", str(1.5 * SHARD / 1e9))
    idle = staged_set(bucket, tmp_path, "idle", 0)
    staging(idle).close()
    _, remote = uploaded(bucket, tmp_path, name="set", seed=50)
    for folder in (idle._folder, remote.folder):
        (folder / "frames-00000.part").write_bytes(bytes(SHARD))
    reader = FrameReader(remote.folder, videos=remote.videos[:1])
    staging(reader).wait()
    assert shards_in(remote.folder) == [shard_name(0)]
    assert not list(tmp_path.rglob("*.part"))


def test_nothing_is_counted_on_that_makes_room_while_a_reader_opens(
    bucket: Storage, tmp_path: Path
) -> None:
    local, remote = uploaded(bucket, tmp_path)
    shards = staging(FrameReader(remote.folder, videos=remote.videos))
    shards.wait()
    shards.close()
    opened: list[FrameReader] = []
    with (remote.folder / "in-use").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as who makes room does
        thread = threading.Thread(
            target=lambda: opened.append(FrameReader(remote.folder, videos=remote.videos))
        )
        thread.start()
        thread.join(0.2)
        assert not opened
        for name in shards_in(remote.folder):
            (remote.folder / name).unlink()
    thread.join()
    same(local, opened[0])
    staging(opened[0]).wait()
    assert len(shards_in(remote.folder)) == 4


def test_half_of_the_free_disk_is_the_bound_where_none_is_set(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = bound()
    assert cache.is_dir()
    assert free > 0
    monkeypatch.setenv("ROTNET_CACHE_GB", "2.5")
    assert bound() == 2_500_000_000
    monkeypatch.setenv("ROTNET_CACHE_GB", "0")
    assert bound() == 0


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf", "1e999", "1 GB"])
def test_a_bound_that_is_no_number_is_refused_at_once(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _, remote = uploaded(bucket, tmp_path)
    monkeypatch.setenv("ROTNET_CACHE_GB", text)
    with pytest.raises(DataError, match=rf"ROTNET_CACHE_GB must be a number .*, got '{text}'"):
        FrameReader(remote.folder)
