"""A Ray cluster for the length of a run: one started here, quietly, or one that is there."""

import contextlib
import fcntl
import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants, worker

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.on_ray.apart import apart
from rotnet.errors import UserError

MODEL = "accelerator_type:"
_PREFIX, _LOCK = "rotlab-ray-", "lock"
_MAX_TEMP_CHARS = 20  # a socket's path may have 107, and Ray's own part of it has up to 64
_LEFT_AFTER_S = 120.0
_REMOVE_TRIES = 20
_ANSWER_S = 5.0
_ASK_EVERY_S = 2.0
_OBJECT_STORE_BYTES = 128 * 2**20  # only the plan travels
_QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one prints a heading however quiet it is told to be
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",  # a run goes on from the store, not from Tune's state
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # what is released is limited before Tune hears of it
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is up.

    Args:
        capacity: returns what it holds now.
        may_grow: whether it can hold more later; one started here cannot.
        scratch: a folder on this machine that is gone when the cluster has been left.
        name: that runs which have joined it know it by.
    """

    capacity: Callable[[], Capacity]
    may_grow: bool
    scratch: Path
    name: str


@contextlib.contextmanager
def cluster(
    address: str | None,
    cpus: int | None,
    gpus: int | None,
    pending: int = 0,
    *,
    verbose: bool,
    shield: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
) -> Iterator[Cluster]:
    """Start or join a cluster, and leave it.

    A cluster started here ends with the block, all its processes with it. If this process is killed
    instead, stages end within three seconds; two idle helpers of Ray's follow after a minute. A
    signal to the group of this process does not reach it. Whatever it listens on is this machine's
    loopback.

    Args:
        address: of a cluster that is there; None starts one on this machine.
        cpus: cores of one started here; None takes all that this process may use.
        gpus: devices of one started here; None takes all that are found.
        pending: stages that may wait for room on one that is there.
        verbose: let Ray and the workers talk.
        shield: entered while Ray starts and while it ends: cut in two, it leaves processes behind.

    Raises:
        UserError: if there is no cluster at the address, or cores or devices are given for one.
    """
    os.environ.update(_QUIET)
    level = logging.INFO if verbose else logging.CRITICAL
    with _scratch() as scratch, _without_news(verbose=verbose):
        with shield(), apart():
            if address is None:
                _start(cpus, gpus, scratch, verbose=verbose, level=level)
            else:
                _join(address, cpus, gpus, verbose=verbose, level=level)
        _quieten(level)
        try:
            held = _held()
            capacity = (lambda: held) if address is None else _Growing(pending).capacity
            node: Any = worker.global_worker.node
            name = node.cluster_id.hex()
            yield Cluster(capacity, address is not None, scratch, name)
        finally:
            with shield():
                ray.shutdown()


@contextlib.contextmanager
def _without_news(*, verbose: bool) -> Iterator[None]:
    """Keep from stdout what Ray tells of dead workers; a thread of its own prints it, when it will.

    Ray has no option for this, so that the function it prints by is replaced.
    """
    name = "print_to_stdstream"
    before = getattr(worker, name, None)
    if verbose or before is None:
        yield
        return
    setattr(worker, name, lambda *_, **__: None)
    try:
        yield
    finally:
        setattr(worker, name, before)


class _Growing:
    """What a cluster that may grow holds, asked for now and then."""

    def __init__(self, pending: int) -> None:
        self._pending = pending
        self._asked = float("-inf")

    def capacity(self) -> Capacity:
        """Return what it holds, as of a moment ago."""
        now = time.monotonic()
        if now - self._asked > _ASK_EVERY_S:
            self._asked, self._held = now, _held(self._pending)
        return self._held


def _held(pending: int | None = None) -> Capacity:
    held: Mapping[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    sizes = [node["Resources"] for node in nodes if node["Alive"]]
    each = tuple((size.get("CPU", 0.0), size.get("GPU", 0.0)) for size in sizes)
    models = tuple(sorted({_model(size) for size in sizes if size.get("GPU")}))
    return Capacity(held.get("CPU", 0.0), held.get("GPU", 0.0), each, pending, models)


def _model(size: Mapping[str, float]) -> str:
    """What Ray calls a node's devices; of several names, as A100 and A100-80G, the particular."""
    names = [name.removeprefix(MODEL) for name in size if name.startswith(MODEL)]
    return max(names, key=len, default="")


def _start(cpus: int | None, gpus: int | None, scratch: Path, *, verbose: bool, level: int) -> None:
    with _on_loopback():
        ray.init(
            num_cpus=len(os.sched_getaffinity(0)) if cpus is None else cpus,
            num_gpus=gpus,
            include_dashboard=False,
            log_to_driver=verbose,
            logging_level=level,
            object_store_memory=_OBJECT_STORE_BYTES,
            _temp_dir=str(scratch),
            _node_ip_address="127.0.0.1",
        )


@contextlib.contextmanager
def _on_loopback() -> Iterator[None]:
    """Have Ray take 127.0.0.1 as it is told, and so listen there alone, all its processes.

    On Linux it would look up this machine's address in its place, and listen on all that there are.
    Ray reads the variable that decides when it is imported, so what was read is replaced. One
    without that variable listens as Ray does elsewhere, and asks for its token.
    """
    name = "ENABLE_RAY_CLUSTER"
    before = getattr(ray_constants, name, None)
    if before is None:
        yield
        return
    setattr(ray_constants, name, False)
    try:
        yield
    finally:
        setattr(ray_constants, name, before)


def _join(address: str, cpus: int | None, gpus: int | None, *, verbose: bool, level: int) -> None:
    if cpus is not None or gpus is not None:
        raise UserError(
            "--cpus and --gpus describe a cluster that is started here; the one at "
            f"{address} knows its own: leave them out"
        )
    _check_answers(address)
    try:
        ray.init(address=address, log_to_driver=verbose, logging_level=level)
    except (ConnectionError, ValueError, RuntimeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"--address {address}: cannot join a Ray cluster there: {first}; if it asks for a "
            "token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"
        ) from error


def _check_answers(address: str) -> None:
    """See that somebody listens at HOST:PORT; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal() or "/" in host:
        return
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_S).close()
    except OSError as error:
        raise UserError(f"--address {address}: nobody answers there: {error}") from error


def _quieten(level: int) -> None:
    """Loggers of Ray's libraries are made at import and do not follow `logging_level`."""
    for name in ("ray", "ray.tune", "ray.train", "ray.air"):
        logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for Ray's files, with a path short enough for sockets; those of killed runs go."""
    parent = Path(tempfile.gettempdir())
    if len(str(parent)) > _MAX_TEMP_CHARS:
        parent = Path("/tmp")  # noqa: S108  (mkdtemp makes a private folder there)
    for leftover in parent.glob(f"{_PREFIX}*"):
        _remove_if_left(leftover)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder in which a process that is ending may still be making files."""
    for _ in range(_REMOVE_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _remove_if_left(folder: Path) -> None:
    """Remove a run's folder that no process holds; one made just now is about to be held."""
    try:
        if time.time() - folder.stat().st_mtime < _LEFT_AFTER_S:
            return
        with (folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # held, gone by now, or another user's
        return
