"""Files are checked once, and again when they have changed."""

import fcntl
import hashlib
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rotnet.data.framestore.layout import StoredFile
from rotnet.data.framestore.packing import described
from rotnet.data.framestore.verified import cache_folder, check_file, check_stored
from rotnet.errors import DataError
from tests.rotnet.data.framestore.samples import flip_a_byte


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "frames-00000.bin"
    path.write_bytes(bytes(range(256)) * 40)
    return path


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that were read whole."""
    names: list[str] = []
    digest = hashlib.file_digest

    def counted(file: object, name: str) -> object:
        names.append(Path(file.name).name)  # type: ignore[attr-defined]
        return digest(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", counted)
    return names


def checks_well(path: Path, expected: StoredFile) -> None:
    """Check a file in a process where reading it whole is an error."""

    def digest(*_: object) -> None:
        raise AssertionError

    hashlib.file_digest = digest  # type: ignore[assignment]  # it is never to be called
    check_stored(path, expected)


def test_a_file_is_read_once_whoever_checks_it(shard: Path, hashed: list[str]) -> None:
    expected = described(shard)
    for _ in range(3):
        check_stored(shard, expected)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: check_stored(shard, expected), range(8)))
    process = multiprocessing.get_context("spawn").Process(
        target=checks_well, args=(shard, expected)
    )
    process.start()
    process.join()
    assert process.exitcode == 0
    assert hashed == [shard.name]


def test_threads_that_check_at_once_read_once(shard: Path, hashed: list[str]) -> None:
    expected = described(shard)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: check_stored(shard, expected), range(8)))
    assert hashed == [shard.name]


def test_a_file_by_another_name_of_the_same_place_is_known(
    shard: Path, hashed: list[str], tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    check_stored(shard, described(shard))
    check_stored(tmp_path / "link" / shard.name, described(shard))
    assert hashed == [shard.name]


def test_a_change_is_found(shard: Path, hashed: list[str]) -> None:
    expected = described(shard)
    check_stored(shard, expected)
    flip_a_byte(shard, 5000)
    with pytest.raises(DataError, match=r"frames-00000.bin is damaged \(its checksum"):
        check_stored(shard, expected)
    flip_a_byte(shard, 5000)
    check_stored(shard, expected)
    assert len(hashed) == 3


def test_a_change_is_found_that_keeps_size_and_time(shard: Path) -> None:
    expected, before = described(shard), shard.stat()
    check_stored(shard, expected)
    time.sleep(0.02)  # a file system's clock may tick a hundred times a second
    flip_a_byte(shard, 77)
    os.utime(shard, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match="is damaged"):
        check_stored(shard, expected)


def test_what_was_checked_for_one_checksum_is_not_good_for_another(shard: Path) -> None:
    check_file(shard, described(shard).sha256)
    with pytest.raises(DataError, match="is damaged"):
        check_file(shard, "ab" * 32)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "has 10239 bytes where 10240 were"),
        (lambda path: path.write_bytes(b""), "has 0 bytes where 10240 were"),
        (lambda path: flip_a_byte(path, 10239), "is damaged"),
        (lambda path: path.unlink(), r"cannot be read \(No such file or directory\)"),
        (lambda path: (path.unlink(), path.mkdir()), "bytes where 10240 were|Is a directory"),
    ],
    ids=["cut", "empty", "flipped", "missing", "folder"],
)
@pytest.mark.parametrize("before", [True, False])
def test_damage_is_named_in_one_line_with_a_way_out(
    shard: Path, harm: Callable[[Path], object], said: str, before: bool
) -> None:
    expected = described(shard)
    if before:
        check_stored(shard, expected)
    harm(shard)
    for _ in range(2):
        with pytest.raises(DataError, match=said) as caught:
            check_stored(shard, expected)
        assert str(caught.value).startswith(f"{shard} ")
        assert str(caught.value).endswith(": prepare the set again, with the same command")
        assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(hashlib, "file_digest", digest)
    with pytest.raises(DataError, match=r"cannot be read \(Input/output error\)"):
        check_stored(shard, described(shard))


def spoil_folder(cache: Path, _: pytest.MonkeyPatch) -> None:
    cache.write_text("a file where the folder should be")


def spoil_locks(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)


def spoil_writing(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pwrite(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", pwrite)


@pytest.mark.parametrize("spoil", [spoil_folder, spoil_locks, spoil_writing])
def test_where_nothing_can_be_remembered_files_are_checked_all_the_same(
    shard: Path,
    cache: Path,
    hashed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    expected = described(shard)
    spoil(cache, monkeypatch)
    check_stored(shard, expected)
    check_stored(shard, expected)
    assert len(hashed) == 2
    flip_a_byte(shard, 1)
    with pytest.raises(DataError, match="is damaged"):
        check_stored(shard, expected)


@pytest.mark.parametrize("note", [b"", b"\0" * 40, b"{", b"\xff\xfe", b"[1, 2]", b"null"])
def test_a_spoilt_note_is_no_note(shard: Path, cache: Path, hashed: list[str], note: bytes) -> None:
    check_stored(shard, described(shard))
    (path,) = (cache / "verified").iterdir()
    path.write_bytes(note)
    for _ in range(2):
        check_stored(shard, described(shard))
    assert len(hashed) == 2


def test_the_cache_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ROTNET_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("ROTNET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "rotnet"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "rotnet"
