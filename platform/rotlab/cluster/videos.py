"""Videos prepared by the nodes of a Ray cluster: one task a video, in order, whatever is lost."""

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayTaskError, WorkerCrashedError

from rotnet.data.hands import died
from rotnet.data.store import Task, prepare_video
from rotnet.data.workplace import Stored
from rotnet.errors import UserError

TRIES = 3  # of a video whose process dies: it may have been another's fault
_AHEAD = 4  # videos that are under way or wait, for each that the cluster has room for
_LEAST = 8  # likewise at least: a cluster that is empty grows for what waits
_COUNT_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Unseen:
    """What a worker says that has not the folders of a task.

    Args:
        where: its node.
        path: that is not there.
    """

    where: str
    path: Path


@dataclass(slots=True)
class _Asked:
    """A video under way."""

    task: Task
    reference: Any
    deaths: int = 0


@dataclass(slots=True)
class ClusterHands:
    """Prepares videos on the cluster that is joined; see `rotnet.data.hands`.

    A node that is lost costs its videos another try, however often; a worker process that dies
    costs its own video a few, and then that is left out, as by processes of one machine.

    Args:
        cpus_per: cores that a video takes.
        prepare: what a worker does with one.
    """

    cpus_per: float = 1.0
    prepare: Callable[[Task], "Stored | Unseen"] = field(default_factory=lambda: prepare_apart)
    _counted: float = field(default=float("-inf"), init=False)
    _room: int = field(default=_LEAST, init=False)
    _remote: Any = field(init=False)

    def __post_init__(self) -> None:
        function: Any = ray.remote(self.prepare)
        self._remote = function.options(num_cpus=self.cpus_per, max_retries=0)

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Stored]:
        """Yield what became of each video, in order, while later ones are under way.

        Raises:
            UserError: if a node does not see the folders, or nothing can be written.
        """
        remaining, pending = iter(tasks), deque[_Asked]()
        try:
            while True:
                while len(pending) < self._window():
                    task = next(remaining, None)
                    if task is None:
                        break
                    pending.append(self._ask(task))
                if not pending:
                    return
                found = self._answer(pending[0])
                if found is not None:
                    pending.popleft()
                    yield found
        finally:
            for asked in pending:
                # By force, Ray now and then ends this process, of a task that is done meanwhile
                # ("Tried to complete task that was not pending").
                ray.cancel(asked.reference)

    def _answer(self, asked: _Asked) -> Stored | None:
        """What became of a video; None where it is tried again."""
        try:
            found: Stored | Unseen = ray.get(asked.reference)
        except NodeDiedError:
            asked.reference = self._ask(asked.task).reference
            return None
        except (WorkerCrashedError, OutOfMemoryError):
            asked.deaths += 1
            if asked.deaths == TRIES:
                return died(asked.task)
            asked.reference = self._ask(asked.task).reference
            return None
        except RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from None
            raise
        if isinstance(found, Unseen):
            if found.path == asked.task.file and not found.path.exists():
                return prepare_video(asked.task)  # it is gone for all: told as by one machine
            raise unseen(found)
        return found

    def _ask(self, task: Task) -> _Asked:
        return _Asked(task, self._remote.remote(task))

    def _window(self) -> int:
        if time.monotonic() - self._counted > _COUNT_EVERY_S:
            held = ray.cluster_resources().get("CPU", 0.0)  # type: ignore[no-untyped-call]
            self._room = max(_LEAST, int(_AHEAD * held / self.cpus_per))
            self._counted = time.monotonic()
        return self._room


def prepare_apart(task: Task) -> Stored | Unseen:
    """Prepare a video on the node this is called on, so that no other writer is in its way.

    A node that was taken for lost may still be at a video that another has got.
    """
    where = f"{socket.gethostname()} (process {os.getpid()})"
    for path in (task.part.base.parent, task.file):
        if not path.exists():
            return Unseen(where, path)
    done = task.part.recall(task.candidate, task.file)
    if done is not None:
        return done
    with task.part.aside() as other:
        return prepare_video(replace(task, part=other))


def unseen(one: Unseen) -> UserError:
    """Return what is said of a node that does not see a folder."""
    return UserError(
        f"node {one.where} does not see {one.path}: SOURCE and OUT must lie where every node sees "
        "them by the same path, as on a shared file system"
    )
