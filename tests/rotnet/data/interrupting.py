"""Preparations that are interrupted, and what they must equal."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rotnet.data.catalog import FolderKind, Kind
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage
from tests.rotnet.data.preparing import content_of

FOLDER = FolderKind()
STORAGE = Storage(short_side=32)
VIDEO_BYTES = 40 * 32 * 3 * 25  # the longest of the six
NAMES = ["1.avi", "3.avi", "5.avi", "0.avi", "2.avi", "4.avi"]  # in the order of their paths


def stop_after(number: int) -> Callable[[int, int], None]:
    def progress(done: int, _total: int) -> None:
        if done == number:
            raise KeyboardInterrupt

    return progress


def interrupted(
    videos: Path,
    out: Path,
    after: int,
    *,
    kind: Kind = FOLDER,
    storage: Storage = STORAGE,
    quarantine: dict[str, str] | None = None,
) -> None:
    with pytest.raises(KeyboardInterrupt):
        prepare(
            videos, out, kind, storage=storage, progress=stop_after(after), quarantine=quarantine
        )


def undisturbed(
    videos: Path, out: Path, *, kind: Kind = FOLDER, quarantine: dict[str, str] | None = None
) -> dict[str, bytes]:
    prepare(videos, out, kind, storage=STORAGE, name="set", quarantine=quarantine)
    return content_of(out)
