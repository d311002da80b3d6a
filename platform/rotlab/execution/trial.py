"""A stage inside a Ray worker: how it is begun, and how its end is told."""

import functools
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune

from rotlab.execution.failures import failure_of
from rotlab.execution.gauges import Gauges
from rotlab.execution.grown import with_grown
from rotlab.execution.halfway import Halfway
from rotlab.execution.lease import HeldElsewhereError
from rotlab.execution.message import Message, State, to_result
from rotlab.execution.perform import Work, perform
from rotlab.execution.stage_log import logged
from rotlab.execution.store import Store
from rotlab.execution.watch import TrialWatch
from rotnet.learning.watch import Stopped

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shared:
    """A plan in Ray's object store: a worker reads it once, not once for each stage.

    Args:
        work: the reference to it.
    """

    work: "ray.ObjectRef[Work]"


def run_trial(config: Mapping[str, Any], shared: Shared, stop_file: Path, *, verbose: bool) -> None:
    """Do the stage that Tune's configuration names, and report how it ended.

    A failed stage's error is raised after it was reported, so that Tune gives up the process: a
    stage that failed may have left anything behind in it.

    Args:
        config: "stage", its key; "attempt", the attempt's identity; "gpus", what it was given;
            "stale", another's lease to take over; "grown", stages that the plan did not hold.
        shared: the plan, as it was at first.
        stop_file: whose presence is the wish to stop.
        verbose: let what the stage prints go where this process's output goes, not into its log.
    """
    work = with_grown(_fetch(shared.work), config.get("grown"))
    stage, attempt = work.stages[config["stage"]], config["attempt"]
    store = Store(work.store)
    watch = TrialWatch(_send, stop_file, gauges=Gauges().read)
    seen_by = watch if work.few is None else Halfway(watch, store.halfway_path(stage))
    with logged(store.log_path(stage, attempt), silent=not verbose):
        _LOG.info(
            "%s %s, attempt %s: cpus %s, gpus %s, process %d",
            stage.kind,
            stage.key,
            attempt,
            config["cpus"],
            config["gpus"],
            os.getpid(),
        )
        try:
            if watch.should_stop() != "no":  # it was waiting for a worker when the run was ended
                raise Stopped
            record = perform(stage.key, work, seen_by, attempt, config["gpus"], config["stale"])
        except Stopped:
            _LOG.info("stopped")
            _send(Message("KILLED", watch.take_points(), gauges=watch.take_gauges()))
        except HeldElsewhereError as lease:
            _LOG.info("another attempt is at work: %s", lease)
            _send(Message("HELD", error=str(lease)))
        except Exception as error:
            _LOG.exception("failed")
            failure = failure_of(error)
            points, gauges = watch.take_points(), watch.take_gauges()
            told = Message(
                "FAILED", points, error=failure.reason, cause=failure.cause, gauges=gauges
            )
            _send(told)
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
            _send(message)


@functools.lru_cache(maxsize=1)
def _fetch(work: "ray.ObjectRef[Work]") -> Work:
    return ray.get(work)


def _send(message: Message) -> None:
    tune.report(to_result(message))
