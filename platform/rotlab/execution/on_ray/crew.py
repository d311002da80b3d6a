"""Processes that compute a stage together with its worker, on Ray.

A stage's trial holds one placement group with a bundle for each of its processes, so that Ray gives
all of them or none, and a cluster grows by all at once. The worker is in the first; for each stage
it starts a helper in each of the others, which it owns: they end with it, however it ends. All meet
in one process group of torch.distributed, which the worker leads: it alone is watched, holds the
lease, writes checkpoints and tells how the stage ended, as any worker does.

Ray Train's TorchTrainer is not used. It gives its workers a placement group of their own, beside
the trial's, which nothing reserves with it: tried with Ray 2.60, a trial that held one of two cores
waited for ever for its two workers. And the process that trains, then, is not the one that is
watched and holds the lease.
"""

import contextlib
import importlib
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util import get_node_ip_address
from ray.util.placement_group import get_current_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from rotlab.execution.conduct.failures import Failure, LostHelperError, death, failure_of, telling
from rotlab.execution.conduct.grown import with_grown
from rotlab.execution.on_ray.stage_log import logged
from rotlab.execution.stage.perform import Work, assist
from rotlab.store.carrying import sent_log
from rotlab.store.store import Store
from rotnet.errors import UserError
from rotnet.learning.watch import Stopped

_LOG = logging.getLogger(__name__)
_PART_S = 60.0  # that helpers may take to end after the leader has
_NOTICE_S = 30.0  # in which a leader should notice by itself that a helper is gone
_BLAME_S = 10.0  # in which Ray should know of a helper's death
_LOOK_S = 1.0
_REASON_CHARS = 300
# What a process says that lost another; what it says of itself is worth more.
_PARTED = re.compile(r"connection|socket|broken pipe|timed? ?out|nccl|gloo", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Crew:
    """The processes of one attempt at a stage.

    Args:
        processes: how many, the worker among them.
        cpus: cores of each.
        gpus: devices of each.
        shared: the plan in Ray's object store.
        one: what the worker was told of the stage: "stage", "attempt", "grown".
        verbose: let helpers print where their processes' output goes, not into logs.
    """

    processes: int
    cpus: float
    gpus: float
    shared: "ray.ObjectRef[Work]"
    one: Mapping[str, Any]
    verbose: bool

    @contextlib.contextmanager
    def beside(self, inputs: Mapping[str, Path], folder: Path) -> Iterator[None]:
        """Have helpers compute their shares while the block, which leads them, computes its own.

        Args:
            inputs: of the stage, by name.
            folder: of the attempt.

        Raises:
            LostHelperError: if a helper died, or failed by what was not the leader's end.
        """
        meeting, parted = _meeting(), threading.Event()
        address: str = get_node_ip_address()  # type: ignore[no-untyped-call]
        meeting.stay_local(address)
        place, port = meeting.open_meeting(address, self.processes)
        helpers = self._start()
        try:
            ends = [
                helper.work.remote(
                    rank,
                    (address, port, self.processes),
                    (self.shared,),
                    dict(self.one),
                    inputs,
                    folder,
                )
                for rank, helper in enumerate(helpers, start=1)
            ]
            _Guard(dict(zip(ends, helpers, strict=True)), parted).start()
            try:
                with meeting.leading(place, self.processes):
                    _LOG.info("leads %d processes", self.processes)
                    yield
            except Exception as error:
                failure = _of_a_helper(ends, error)
                if failure is None:
                    raise
                raise LostHelperError(failure) from error
            ray.wait(ends, num_returns=len(ends), timeout=_PART_S)
        finally:
            parted.set()
            for helper in helpers:
                ray.kill(helper)

    def _start(self) -> list[Any]:
        group = get_current_placement_group()
        assert group is not None  # noqa: S101  (a trial of several processes has one)
        return [
            _Helper.options(  # type: ignore[attr-defined]  # what the decorator gives it
                num_cpus=self.cpus,
                num_gpus=self.gpus,
                scheduling_strategy=PlacementGroupSchedulingStrategy(
                    placement_group=group, placement_group_bundle_index=number
                ),
            ).remote(self.gpus, self.verbose)
            for number in range(1, self.processes)
        ]


@ray.remote(max_restarts=0)
class _Helper:
    """A process that computes a share of a stage."""

    def __init__(self, gpus: float, verbose: bool) -> None:
        self._gpus, self._verbose = gpus, verbose

    def work(
        self,
        rank: int,
        where: tuple[str, int, int],
        shared: tuple["ray.ObjectRef[Work]"],
        one: Mapping[str, Any],
        inputs: Mapping[str, Path],
        folder: Path,
    ) -> Failure | None:
        """Do this process's share; return how it failed, or None."""
        work = with_grown(ray.get(shared[0]), one["grown"])
        stage = work.stages[one["stage"]]
        path = Store(work.store).helper_log_path(stage, one["attempt"], rank)
        with sent_log(path), logged(path, silent=not self._verbose):
            try:
                _LOG.info("%s %s, helper %d, process %d", stage.kind, stage.key, rank, os.getpid())
                meeting = _meeting()
                meeting.stay_local(where[0])
                with meeting.joining(rank, *where):
                    assist(stage.key, work, inputs, folder, self._gpus)
            except Stopped:
                _LOG.info("stopped")
            except Exception as error:  # noqa: BLE001  (whatever it is, the leader is to know)
                _LOG.exception("failed")
                return failure_of(error)
        return None


class _Guard(threading.Thread):
    """Sees to it that the leader notices when a helper has failed or is gone.

    One that failed is ended, so that whoever waits for it loses it. A leader that waits on a device
    for what it was to send may still notice after many minutes only: then that is ended, too.

    Args:
        helpers: by how each will have ended.
        parted: set once the leader needs them no more.
    """

    def __init__(
        self, helpers: Mapping["ray.ObjectRef[Failure | None]", Any], parted: threading.Event
    ) -> None:
        super().__init__(daemon=True, name="helpers")
        self._helpers, self._parted = helpers, parted

    def run(self) -> None:
        """Look now and then whether all helpers are at work."""
        while not self._parted.wait(_LOOK_S):
            helpers = list(self._helpers)
            over, _ = ray.wait(helpers, num_returns=len(helpers), timeout=0)
            failed = [self._helpers[one] for one in over if _end(one) is not None]
            for helper in failed:
                ray.kill(helper)
            if failed and not self._parted.wait(_NOTICE_S):
                _LOG.error("a helper is gone, and the stage waits for it: ended")
                os._exit(1)


def _meeting() -> ModuleType:
    """Torch's share: loaded where a stage is computed by several processes, and nowhere else."""
    return importlib.import_module("rotlab.execution.on_ray.meeting")


def _of_a_helper(
    ends: Sequence["ray.ObjectRef[Failure | None]"], error: Exception
) -> Failure | None:
    """Return how a helper failed, where that is why the leader met an error; else None.

    A process that loses another says so, whichever of them was first: what does not say so counts.
    """
    if isinstance(error, UserError) or not _PARTED.search(str(error)):
        return None
    over, _ = ray.wait(list(ends), num_returns=len(ends), timeout=_BLAME_S)
    found = [failure for one in over if (failure := _end(one)) is not None]
    own = [one for one in found if not _PARTED.search(one.reason) or one.cause != "bug"]
    return next(iter([*own, *found]), None)


def _end(end: "ray.ObjectRef[Failure | None]") -> Failure | None:
    """Return how a helper failed that has ended; None where it did its share."""
    try:
        return ray.get(end)
    except RayError as error:
        lines = str(error).splitlines()
        return death((telling(lines) or lines[0].strip())[:_REASON_CHARS])
