"""Files between a node and the bucket of a store at a URL. In a folder store nothing is carried.

What comes down is put in place whole, and what was held against a checksum is not fetched again.
"""

import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from rotlab.store.files import StoreError, seal, write_copy
from rotlab.store.objects import Listed
from rotlab.store.replica import Far, far_of
from rotnet.errors import UserError

_AT_ONCE = 4  # files; each goes in parts
_JUST_NOW_S = 1.0  # what was written here so shortly before a listing may not be in it


def bring(folder: Path, pattern: str = "*.json") -> None:
    """Make the small files of a folder here those of the bucket.

    Args:
        folder: of the store.
        pattern: of the files, one folder deep for each "/" in it; hidden ones are left alone.
    """
    far = far_of(folder)
    if far is None:
        return
    began = time.time()
    there = {
        name: one
        for name, one in far.bucket.listed(far.name, deep="/" in pattern).items()
        if one is not None and is_meant(name, pattern)
    }
    news = [name for name, one in there.items() if not _is_copy(folder / name, one)]
    full = {_below(far, name): name for name in news}
    for name, held in far.bucket.read_all(full).items():
        write_copy(folder / full[name], held.data)
    for path in folder.glob(pattern):
        name = path.relative_to(folder).as_posix()
        if name not in there and is_meant(name, pattern):
            _forget(path, began - _JUST_NOW_S)


def bring_each(paths: Sequence[Path]) -> None:
    """Make small files here those of the bucket."""
    far = far_of(paths[0]) if paths else None
    if far is None:
        return
    named = {one.name: path for path in paths if (one := far_of(path)) is not None}
    there = far.bucket.read_all(named)
    for name, path in named.items():
        if name in there:
            write_copy(path, there[name].data)
        else:
            path.unlink(missing_ok=True)


def is_meant(name: str, pattern: str) -> bool:
    """Say whether a pattern means a name of as many parts, none of which is hidden."""
    path = PurePosixPath(name)
    is_as_deep = len(path.parts) == pattern.count("/") + 1
    return is_as_deep and path.match(pattern) and not any(p.startswith(".") for p in path.parts)


def folders_in(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, in the bucket where there is one, sorted."""
    far = far_of(folder)
    if far is None:
        return sorted(path.name for path in folder.glob("[!.]*") if path.is_dir())
    there = far.bucket.listed(far.name)
    return sorted(name for name, one in there.items() if one is None and not name.startswith("."))


def folders_beside(folder: Path) -> list[Path]:
    """Return the other folders that the bucket has beside one; none, of a folder store."""
    if far_of(folder) is None:
        return []
    return [folder.with_name(one) for one in folders_in(folder.parent) if one != folder.name]


def bring_files(folder: Path, files: Mapping[str, str]) -> None:
    """Fetch files that are not here yet; one that the bucket has not stays away.

    Args:
        folder: of the store.
        files: name in it -> SHA-256 in hexadecimal.

    Raises:
        StoreError: if one is not what it should be.
    """
    far = far_of(folder)
    if far is None:
        return
    folder.mkdir(parents=True, exist_ok=True)  # a bucket knows no folder that has no file
    missing = [name for name in files if not (folder / name).is_file()]
    _at_once(lambda name: fetch(far, name, folder / name, files[name]), missing)


def fetch(far: Far, name: str, path: Path, sha256: str) -> bool:
    """Fetch a file of a folder of the bucket; return whether it is there.

    Raises:
        StoreError: if it is not what it should be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}.tmp")
    try:
        far.bucket.download(_below(far, name), aside)
        found = seal(aside)
        if found != sha256:
            raise StoreError(
                f"{far}/{name}: damaged: its SHA-256 is {found}, not {sha256}; put the right file "
                "there, or have it made again: rotlab invalidate KEY --because TEXT"
            )
        aside.replace(path)
    except FileNotFoundError:
        return False
    finally:
        aside.unlink(missing_ok=True)
    return True


def send_files(folder: Path, names: Iterable[str]) -> None:
    """Put files of a folder into the bucket, each whole; what is not here is passed over."""
    far = far_of(folder)
    if far is not None:
        here = [name for name in names if (folder / name).is_file()]
        _at_once(lambda name: far.bucket.upload(folder / name, _below(far, name)), here)


@contextlib.contextmanager
def sent_log(path: Path) -> Iterator[None]:
    """Put a log into the bucket once the block is over, however it ends; without it, nothing."""
    try:
        yield
    finally:
        with contextlib.suppress(UserError):
            send_files(path.parent, [path.name])


def send_away(folder: Path) -> None:
    """Remove a folder from the bucket, with all that is in it."""
    far = far_of(folder)
    if far is not None:
        far.bucket.remove_folder(far.name)


def _at_once(do: Callable[[str], object], names: list[str]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as carriers:
        for done in [carriers.submit(do, name) for name in names]:
            done.result()


def _below(far: Far, name: str) -> str:
    return f"{far.name}/{name}" if far.name else name


def _is_copy(path: Path, one: Listed) -> bool:
    """Whether a file is what the bucket has, as far as its server tells."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    return one.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()


def _forget(path: Path, before: float) -> None:
    try:
        if path.stat().st_mtime < before:
            path.unlink()
    except FileNotFoundError:
        return
