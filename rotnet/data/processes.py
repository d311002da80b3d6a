"""One function over many tasks on several processes, in order, even if one kills its process."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.synchronize import Event
from typing import TypeVar

_CONTEXT = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang


Task = TypeVar("Task")
Result = TypeVar("Result")


class InterruptedWorkError(Exception):
    """The parent process gave up while a task was under way."""


class Worker:
    """What a worker process knows of its parent's wishes."""

    stop: Event | None = None

    @classmethod
    def check(cls) -> None:
        """Raise InterruptedWorkError if the parent has given up. Long tasks ask now and then."""
        if cls.stop is not None and cls.stop.is_set():
            raise InterruptedWorkError


def map_in_order(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    workers: int,
    died: Callable[[Task], Result],
) -> Iterator[Result]:
    """Yield function(task) for every task, in their order, while later ones are under way.

    Args:
        function: a module's function; arguments and results are pickled.
        tasks: drawn as they are needed; only a few per worker are under way at a time.
        workers: number of processes; 0 works in this one.
        died: gives the result of a task whose process died (a crash in a codec, no memory).
    """
    if workers == 0:
        yield from map(function, tasks)
        return
    remaining = iter(tasks)
    pending: deque[tuple[Task, Future[Result]]] = deque()
    stop = _CONTEXT.Event()
    pool = _pool(workers, stop)
    try:
        while True:
            for task in islice(remaining, 3 * workers - len(pending)):
                pending.append((task, _submitted(pool, function, task)))
            if not pending:
                return
            try:
                yield pending[0][1].result()
                pending.popleft()
            except BrokenProcessPool:
                pool.shutdown()
                suspects = [task for task, _ in pending]
                pending.clear()
                for task in suspects:
                    yield _alone(function, task, stop, died)
                pool = _pool(workers, stop)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _submitted(
    pool: ProcessPoolExecutor, function: Callable[[Task], Result], task: Task
) -> Future[Result]:
    """Return a task's future, already failed where a process has died since the last task.

    A process that this starts has Ctrl-C blocked from its first moment: one that died of it while
    it started would break the pool, while the parent is giving up.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(function, task)
    except BrokenProcessPool as error:
        failed: Future[Result] = Future()
        failed.set_exception(error)
        return failed
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _alone(
    function: Callable[[Task], Result], task: Task, stop: Event, died: Callable[[Task], Result]
) -> Result:
    """Return a task's result from a process of its own, for whose death it alone can be blamed."""
    with _pool(1, stop) as pool:
        try:
            return _submitted(pool, function, task).result()
        except BrokenProcessPool:
            return died(task)


def _pool(workers: int, stop: Event) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, _CONTEXT, initializer=_begin, initargs=(stop,))


def _begin(stop: Event) -> None:
    """Leave Ctrl-C to the parent, and end when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Worker.stop = stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
