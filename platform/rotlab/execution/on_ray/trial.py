"""A stage inside a Ray worker: how it is begun, and how its end is told."""

import functools
import logging
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune

from rotlab.execution.conduct.failures import failure_of
from rotlab.execution.conduct.grown import with_grown
from rotlab.execution.conduct.message import Message, State, to_result
from rotlab.execution.on_ray.crew import Crew
from rotlab.execution.on_ray.halfway import Halfway
from rotlab.execution.on_ray.stage_log import logged, talking
from rotlab.execution.on_ray.watch import TrialWatch
from rotlab.execution.stage.gauges import Gauges
from rotlab.execution.stage.perform import Work, perform
from rotlab.store.carrying import bring, send_files, sent_log
from rotlab.store.courier import heeding
from rotlab.store.lease import HeldElsewhereError
from rotlab.store.store import Store
from rotnet.learning.watch import Stopped

_LOG = logging.getLogger(__name__)
_BREATH_S = 0.01  # in which a stage begins


@dataclass(frozen=True, slots=True)
class Shared:
    """A plan in Ray's object store: a worker reads it once, not once for each stage.

    Args:
        work: the reference to it.
    """

    work: "ray.ObjectRef[Work]"


def run_trial(config: Mapping[str, Any], shared: Shared, stop_file: Path, *, verbose: bool) -> None:
    """Do the stages that Tune's configuration names, and report how each ended.

    A failed stage's error is raised after it was reported, so that Tune gives up the process: a
    stage that failed may have left anything behind in it.

    Args:
        config: "stage", its key; "attempt", the attempt's identity; "stale", another's lease to
            take over; "grown", stages that the plan did not hold; "sign", a file that asks it to
            stop; "then", the same of stages to go on with; "cpus" and "gpus", what all of them are
            given, by "processes" together.
        shared: the plan, as it was at first.
        stop_file: whose presence is the wish to stop.
        verbose: let what the stage prints go where this process's output goes, not into its log.
    """
    line, gauges = (config, *config["then"]), Gauges()
    with ThreadPoolExecutor(max_workers=1) as sender, talking():
        for number, one in enumerate(line, start=1):
            tell = _Tell(sender, one["attempt"], is_last=number == len(line))
            work = with_grown(_fetch(shared.work), one["grown"])
            sign = Path(one["sign"]) if one["sign"] else None
            watch = TrialWatch(tell, stop_file, gauges=gauges.read, sign=sign)
            log = Store(work.store).log_path(work.stages[one["stage"]], one["attempt"])
            with sent_log(log), heeding(stop_file, sign), logged(log, silent=not verbose):
                _LOG.info(
                    "cpus %s, gpus %s, process %d", config["cpus"], config["gpus"], os.getpid()
                )
                helpers = _helpers(config, one, shared, verbose=verbose)
                gpus = config["gpus"] / config["processes"]
                if not _do(one, work, watch, gpus, tell, helpers):
                    return


def _helpers(
    config: Mapping[str, Any], one: Mapping[str, Any], shared: Shared, *, verbose: bool
) -> Crew | None:
    processes = config["processes"]
    if processes == 1:
        return None
    cpus, gpus = config["cpus"] / processes, config["gpus"] / processes
    return Crew(processes, cpus, gpus, shared.work, one, verbose)


def _do(
    one: Mapping[str, Any],
    work: Work,
    watch: TrialWatch,
    gpus: float,
    tell: "_Tell",
    helpers: Crew | None,
) -> bool:
    """Do one stage, and tell how it ended; return whether to go on with the next."""
    stage, attempt = work.stages[one["stage"]], one["attempt"]
    _LOG.info("%s %s, attempt %s", stage.kind, stage.key, attempt)
    halfway = Store(work.store).halfway_path(stage)
    if work.few is not None:
        bring(halfway.parent, halfway.name)
    seen_by = watch if work.few is None else Halfway(watch, halfway)
    try:
        if watch.should_stop() != "no":  # it was waiting for a worker when the run was ended
            raise Stopped
        record = perform(stage.key, work, seen_by, attempt, gpus, one["stale"], helpers)
    except Stopped:
        if watch.is_pruned:
            _LOG.info("stopped: others of its search are ahead")
            tell(Message("PRUNED", watch.take_points(), gauges=watch.take_gauges()))
            return True
        _LOG.info("stopped")
        if work.few is not None:
            send_files(halfway.parent, [halfway.name])
        tell(Message("KILLED", watch.take_points(), gauges=watch.take_gauges()))
        return False
    except HeldElsewhereError as lease:
        _LOG.info("another attempt is at work: %s", lease)
        tell(Message("HELD", error=str(lease)))
    except Exception as error:
        _LOG.exception("failed")
        failure = failure_of(error)
        points, gauges = watch.take_points(), watch.take_gauges()
        tell(Message("FAILED", points, error=failure.reason, cause=failure.cause, gauges=gauges))
        raise
    else:
        state: State = "FINISHED" if record.attempt == attempt else "REUSED"
        _LOG.info("%s in %.1f s", state.lower(), record.seconds)
        other = {} if state == "FINISHED" else {"result": record.attempt}
        message = Message(
            state,
            watch.take_points(),
            record.metrics,
            record.seconds,
            origin={**record.origin, **other},
            gauges=watch.take_gauges(),
        )
        tell(message)
    return True


@dataclass(frozen=True, slots=True)
class _Tell:
    """Sends an attempt's news to the driver, and waits until it has them.

    The end of a stage that others follow is not waited for: its record is in the store, and the
    next news, which come after it, are waited for. It is told a moment later, too: what Ray does
    with it takes the interpreter, of which the next stage has need to begin.
    """

    sender: ThreadPoolExecutor
    attempt: str
    is_last: bool

    def __call__(self, message: Message) -> None:
        result = to_result(message, self.attempt, is_last=self.is_last)
        if self.is_last or message.state not in ("FINISHED", "REUSED"):
            self.sender.submit(tune.report, result).result()
        else:
            self.sender.submit(_report_soon, result, time.monotonic() + _BREATH_S)


def _report_soon(result: dict[str, Any], due: float) -> None:
    """Report when it is due, or at once if that has passed while others were reported."""
    time.sleep(max(0.0, due - time.monotonic()))
    tune.report(result)


@functools.lru_cache(maxsize=1)
def _fetch(work: "ray.ObjectRef[Work]") -> Work:
    return ray.get(work)
