"""A set made by hands of a cluster, and what those may do with a video in place of preparing it."""

import os
import signal
import time
from pathlib import Path

import ray

from rotlab.cluster.videos import Unseen, prepare_apart
from rotnet.data.catalog import FolderKind
from rotnet.data.hands import Hands
from rotnet.data.prepare import prepare
from rotnet.data.store import Storage, Task
from rotnet.data.workplace import Stored
from tests.rotnet.data.preparing import content_of

KIND = FolderKind(unlabelled=True)


def made(videos: Path, out: Path, hands: Hands, storage: Storage) -> dict[str, bytes]:
    """Return the bytes of every file of a set."""
    prepare(videos, out, KIND, storage=storage, name="set", hands=hands)
    return content_of(out)


def die_at_two(task: Task) -> Stored | Unseen:
    """Die at the second video each time, at the third once."""
    mark = task.part.base.parents[2] / "died"
    if "_00001" in task.file.name or ("_00002" in task.file.name and not mark.exists()):
        if "_00002" in task.file.name:
            mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare_apart(task)


def see_nothing(task: Task) -> Stored | Unseen:
    """Find no folder."""
    return Unseen("far", task.part.base.parent)


def be_slow(task: Task) -> Stored | Unseen:
    """Take a while, and note on which node."""
    node = ray.get_runtime_context().get_node_id()
    notes = task.part.base.parents[2] / "notes"
    notes.mkdir(exist_ok=True)
    (notes / f"{node}-{task.file.stem}").touch()
    time.sleep(1.0)
    return prepare_apart(task)


def notes_of(out: Path) -> list[str]:
    """Return what slow workers have noted beside a set that is being made."""
    return sorted(path.name for path in (out.parent / f".{out.name}.preparing/notes").glob("*"))
