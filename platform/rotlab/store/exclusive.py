"""Whether a folder's file system creates files for one only, and locks them: tried out.

Likewise of a bucket: whether its server heeds the conditions of `rotlab.store.bucket`.
"""

import contextlib
import fcntl
import secrets
from pathlib import Path

from rotlab.store.bucket import Bucket, ChangedError
from rotlab.store.replica import far_of
from rotnet.errors import UserError


def check_exclusive(folder: Path) -> None:
    """Return if of several that create one file there only the first succeeds, as a store needs.

    Raises:
        UserError: if not: two drivers would take each other's results for their own.
        OSError: if nothing can be written there.
    """
    far = far_of(folder)
    if far is not None:
        _check_bucket(far.bucket)
        return
    made = folder / f".exclusive-{secrets.token_hex(4)}.tmp"
    name = made.with_suffix(".link.tmp")
    try:
        with made.open("w", encoding="utf-8") as file:
            _check_lock(file.fileno(), fcntl.LOCK_EX, folder)
        with made.open(encoding="utf-8") as file:
            _check_lock(file.fileno(), fcntl.LOCK_SH, folder)
        _check_links(made, name, folder)
    finally:
        for path in (name, made):
            with contextlib.suppress(OSError):
                path.unlink()


def _check_bucket(bucket: Bucket) -> None:
    name = f".exclusive-{secrets.token_hex(4)}.tmp"
    first = bucket.create(name, b"first")
    try:
        with contextlib.suppress(FileExistsError):
            bucket.create(name, b"second")
            raise _server_refused(bucket, "that a name is taken")
        bucket.replace(name, b"third", first)
        with contextlib.suppress(ChangedError):
            bucket.replace(name, b"fourth", first)
            raise _server_refused(bucket, "that an object has changed")
    finally:
        bucket.remove(name)


def _server_refused(bucket: Bucket, what: str) -> UserError:
    return UserError(
        f"store {bucket}: its server does not heed {what}, so two runs could both commit one "
        "stage; give --store a bucket of a server that does, as S3 itself or Google Cloud Storage, "
        "or a folder"
    )


def _check_links(made: Path, name: Path, folder: Path) -> None:
    try:
        name.hardlink_to(made)
    except OSError as error:
        raise _refused(folder, f"has no hard links ({error.strerror})") from error
    with contextlib.suppress(FileExistsError):
        name.hardlink_to(made)
        raise _refused(folder, "lets a file be created twice")


def _check_lock(descriptor: int, how: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError as error:
        raise _refused(folder, f"has no file locks ({error.strerror})") from error


def _refused(folder: Path, why: str) -> UserError:
    return UserError(
        f"store {folder}: its file system {why}, so two runs could both commit one stage; "
        "give --store a folder on another file system"
    )
