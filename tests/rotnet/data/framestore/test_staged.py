"""Sets in object storage: clips are right at once, and shards come here within a bound."""

import errno
import fcntl
import gc
import hashlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import fsspec
import pytest

from rotnet.data.frames import FrameReader
from rotnet.data.framestore import packing
from rotnet.data.framestore.formats import FORMATS, Format
from rotnet.data.framestore.layout import Record, shard_name
from rotnet.data.framestore.remote import TRIES, fetch
from rotnet.data.framestore.staged import StagedShards
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.errors import DataError
from tests.rotnet.data.framestore.samples import flip_a_byte, write_set
from tests.rotnet.data.framestore.storage import Storage, shards_in, staging, until
from tests.rotnet.data.framestore.uploads import SHARD, content, same, uploaded


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every video is in a shard of its own."""
    monkeypatch.setattr(packing, "SHARD_BYTES", 1)


@pytest.mark.parametrize("storage", FORMATS)
def test_clips_are_right_before_while_and_after_shards_are_staged(
    bucket: Storage, tmp_path: Path, storage: Format
) -> None:
    local, remote = uploaded(bucket, tmp_path, storage)
    with bucket.held() as let_pass:
        reader = FrameReader(remote.folder, videos=remote.videos)
        same(local, reader)
        assert shards_in(remote.folder) == []
        for number in range(2):
            let_pass()
            until(lambda number=number: number in staging(reader)._here)  # type: ignore[misc]
            same(local, reader)
            assert shards_in(remote.folder) == [shard_name(k) for k in range(number + 1)]
        bucket.clips.clear()
        same(local, reader)
        assert set(bucket.clips) == {shard_name(2), shard_name(3)}
    staging(reader).wait()
    bucket.clips.clear()
    bucket.remove("set")
    same(local, reader)
    assert bucket.clips == []
    assert bucket.staged == [shard_name(k) for k in range(4)]


def test_only_what_is_needed_is_staged(bucket: Storage, tmp_path: Path) -> None:
    local, remote = uploaded(bucket, tmp_path)
    reader = FrameReader(remote.folder, videos=remote.videos[1:3])
    staging(reader).wait()
    assert shards_in(remote.folder) == [shard_name(1), shard_name(2)]
    same(local, reader)
    assert set(bucket.clips) == {shard_name(0), shard_name(3)}
    other = FrameReader(remote.folder)
    staging(other).wait()
    same(local, other)
    assert len(bucket.staged) == 2


def test_what_was_staged_is_not_fetched_again(bucket: Storage, tmp_path: Path) -> None:
    local, remote = uploaded(bucket, tmp_path)
    for _ in range(2):
        reader = FrameReader(remote.folder, videos=remote.videos)
        staging(reader).wait()
        staging(reader).close()
        same(local, reader)
    assert len(bucket.staged) == 4
    assert bucket.clips == []


def test_readers_at_once_fetch_a_shard_once(bucket: Storage, tmp_path: Path) -> None:
    local, remote = uploaded(bucket, tmp_path)
    with bucket.held():
        readers = [FrameReader(remote.folder, videos=remote.videos) for _ in range(3)]
        until(lambda: len(bucket.staged) == 1)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda reader: same(local, reader), readers))
    for reader in readers:
        staging(reader).wait()
        same(local, reader)
    assert sorted(bucket.staged) == [shard_name(k) for k in range(4)]


def test_a_flipped_byte_of_a_clip_is_found_by_its_checksum(bucket: Storage, tmp_path: Path) -> None:
    local, remote = uploaded(bucket, tmp_path)
    bucket.change(f"set/{shard_name(1)}", lambda data: data[:50] + b"\0\1\2\3" + data[54:])
    with bucket.held():
        reader = FrameReader(remote.folder, videos=remote.videos)
        with pytest.raises(DataError, match=r"memory://.*/set: frames of b.mp4 .*upload .* again"):
            reader.read(remote.videos[1], [0])
        reader.read(remote.videos[1], [1, 2, 9])
        same(local, reader, (local.videos[0], *local.videos[2:]))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda data: data[:50] + b"\0\1\2\3" + data[54:], "is damaged (its checksum"),
        (lambda data: data[:-1], f"gave {SHARD - 1} bytes for [0, {SHARD}): it was cut short"),
        (lambda _: b"", f"gave 0 bytes for [0, {SHARD}): it was cut short"),
    ],
    ids=["flipped", "cut", "empty"],
)
def test_a_damaged_shard_is_named_and_never_used(
    bucket: Storage,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[bytes], bytes],
    said: str,
) -> None:
    local, remote = uploaded(bucket, tmp_path)
    bucket.change(f"set/{shard_name(1)}", harm)
    reader = FrameReader(remote.folder, videos=remote.videos)
    staging(reader).wait()
    assert shards_in(remote.folder) == [shard_name(k) for k in (0, 2, 3)]
    assert not list(remote.folder.glob("*.part"))
    (warning,) = caplog.messages
    assert f"{bucket.url}/set/{shard_name(1)} {said}" in warning
    with pytest.raises(DataError, match=r"b.mp4 are damaged|frames-00001.bin gave"):
        reader.read(remote.videos[1], range(10))
    same(local, reader, (local.videos[0], *local.videos[2:]))


def test_a_shard_that_is_gone_is_named(bucket: Storage, tmp_path: Path) -> None:
    _, remote = uploaded(bucket, tmp_path)
    bucket.remove(f"set/{shard_name(0)}")
    reader = FrameReader(remote.folder, videos=remote.videos)
    staging(reader).wait()
    assert shards_in(remote.folder) == [shard_name(k) for k in (1, 2, 3)]
    with pytest.raises(DataError, match=r"frames-00000.bin does not exist"):
        reader.read(remote.videos[0], [0])


@pytest.mark.parametrize("harm", [lambda path: flip_a_byte(path, 7), Path.unlink])
def test_what_is_damaged_or_lost_on_this_disk_is_fetched_again(
    bucket: Storage, tmp_path: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    local, remote = uploaded(bucket, tmp_path)
    first = FrameReader(remote.folder, videos=remote.videos)
    staging(first).wait()
    harm(remote.folder / shard_name(2))
    same(local, first)
    assert set(bucket.clips) == {shard_name(2)}
    assert "frames-00002.bin is damaged or gone" in caplog.text
    assert len(caplog.messages) == 1
    second = FrameReader(remote.folder, videos=remote.videos)
    staging(second).wait()
    bucket.clips.clear()
    same(local, second)
    assert bucket.clips == []


def test_close_ends_the_thread_and_leaves_no_pieces(
    bucket: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    local, remote = uploaded(bucket, tmp_path)
    with bucket.held() as let_pass:
        reader = FrameReader(remote.folder, videos=remote.videos)
        shards = staging(reader)
        until(lambda: len(bucket.staged) == 1)
        closing = threading.Thread(target=shards.close)
        closing.start()
        until(shards._stop.is_set)
        let_pass()
        closing.join()
    assert not shards._thread.is_alive()
    shards.close()
    assert not list(remote.folder.glob("*.part"))
    assert len(bucket.staged) == 1
    assert caplog.messages == []
    same(local, reader)


def test_close_does_not_wait_for_another_process(bucket: Storage, tmp_path: Path) -> None:
    _, remote = uploaded(bucket, tmp_path)
    with (remote.folder / "frames-00000.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shards = staging(FrameReader(remote.folder, videos=remote.videos))
        shards.close()
    assert not shards._thread.is_alive()
    assert bucket.staged == []


def test_a_read_that_fails_is_tried_again(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local, remote = uploaded(bucket, tmp_path)
    cat_file, failures = fsspec.filesystem("memory").cat_file, iter(range(TRIES - 1))

    def flaky(_: object, path: str, **options: int | None) -> bytes:
        for _ in failures:
            raise ConnectionError("reset by peer")
        return cat_file(path, **options)

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "cat_file", flaky)
    same(local, FrameReader(remote.folder))

    failures = iter(lambda: 0, 1)  # without end
    with pytest.raises(DataError, match=r"frames-00000.bin cannot be read: reset by peer"):
        FrameReader(remote.folder).read(remote.videos[0], [0])


def test_bounds_are_named_where_a_file_system_has_more_options_before_them(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local, remote = uploaded(bucket, tmp_path)
    cat_file = fsspec.filesystem("memory").cat_file

    def as_in_s3fs(
        _: object,
        path: str,
        version_id: None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> bytes:
        assert version_id is None
        return cat_file(path, start=start, end=end)

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "cat_file", as_in_s3fs)
    same(local, FrameReader(remote.folder))


def test_staging_survives_the_loss_of_its_folder(
    bucket: Storage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    local, remote = uploaded(bucket, tmp_path)
    with bucket.held():
        reader = FrameReader(remote.folder, videos=remote.videos)
        until(lambda: len(bucket.staged) == 1)
        remote.folder.rename(tmp_path / "elsewhere")
    staging(reader).wait()
    assert "clips are read from there" in caplog.text
    same(local, reader)


def test_files_of_a_file_url_are_staged_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    local = write_set(tmp_path / "set", content())
    remote = Manifest.load(local_folder((tmp_path / "set").as_uri()))
    shards = StagedShards(
        remote.folder, Record.load(remote.folder), (tmp_path / "set").as_uri(), [0, 0, 2]
    )
    shards.wait()
    shards.close()
    assert shards_in(remote.folder) == [shard_name(0), shard_name(2)]
    same(local, FrameReader(remote.folder))


def test_a_small_file_is_fetched_whole(bucket: Storage, tmp_path: Path) -> None:
    uploaded(bucket, tmp_path)
    for url in (f"{bucket.url}/set", f"{bucket.url}/set/"):
        assert fetch(url, "manifest.csv") == (tmp_path / "set" / "manifest.csv").read_bytes()


def test_a_reader_that_is_dropped_stages_no_more(bucket: Storage, tmp_path: Path) -> None:
    _, remote = uploaded(bucket, tmp_path)
    with bucket.held() as let_pass:
        reader = FrameReader(remote.folder, videos=remote.videos)
        thread = staging(reader)._thread
        until(lambda: len(bucket.staged) == 1)  # and held back there
        del reader
        gc.collect()
        let_pass()
        thread.join(timeout=20)
        assert not thread.is_alive()
    assert bucket.staged == [shard_name(0)]


def test_a_shard_that_cannot_be_read_just_now_is_not_removed(
    bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = uploaded(bucket, tmp_path)
    reader = FrameReader(remote.folder, videos=remote.videos[:1])
    staging(reader).wait()

    def too_many(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(hashlib, "file_digest", too_many)
    with pytest.raises(DataError, match=r"cannot be read \(Too many open files\)"):
        reader.read(remote.videos[0], [0])
    assert shards_in(remote.folder) == [shard_name(0)]
