"""A stage inside a Ray worker: how it is begun, and how its end is told."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from rotlab.execution.failures import failure_of
from rotlab.execution.grown import with_grown
from rotlab.execution.lease import HeldElsewhereError
from rotlab.execution.message import Message, State, to_result
from rotlab.execution.perform import Work, perform
from rotlab.execution.stage_log import logged
from rotlab.execution.store import Store
from rotlab.execution.watch import TrialWatch
from rotnet.learning.watch import Stopped

_LOG = logging.getLogger(__name__)


def run_trial(config: Mapping[str, Any], work: Work, stop_file: Path, *, verbose: bool) -> None:
    """Do the stage that Tune's configuration names, and report how it ended.

    A failed stage's error is raised after it was reported, so that Tune gives up the process: a
    stage that failed may have left anything behind in it.

    Args:
        config: "stage", its key; "attempt", the attempt's identity; "gpus", what it was given;
            "stale", another's lease to take over; "grown", stages that the plan did not hold.
        work: the plan, as it was at first.
        stop_file: whose presence is the wish to stop.
        verbose: let what the stage prints go where this process's output goes, not into its log.
    """
    work = with_grown(work, config["grown"])
    stage, attempt = work.stages[config["stage"]], config["attempt"]
    watch = TrialWatch(_send, stop_file)
    with logged(Store(work.store).log_path(stage, attempt), silent=not verbose):
        _LOG.info(
            "%s %s, attempt %s: cpus %s, gpus %s",
            stage.kind,
            stage.key,
            attempt,
            config["cpus"],
            config["gpus"],
        )
        try:
            if watch.should_stop() != "no":  # it was waiting for a worker when the run was ended
                raise Stopped
            record = perform(stage.key, work, watch, attempt, config["gpus"], config["stale"])
        except Stopped:
            _LOG.info("stopped")
            _send(Message("KILLED", watch.take_points()))
        except HeldElsewhereError as lease:
            _LOG.info("another attempt is at work: %s", lease)
            _send(Message("HELD", error=str(lease)))
        except Exception as error:
            _LOG.exception("failed")
            failure = failure_of(error)
            _send(Message("FAILED", watch.take_points(), error=failure.reason, cause=failure.cause))
            raise
        else:
            state: State = "FINISHED" if record.attempt == attempt else "REUSED"
            _LOG.info("%s in %.1f s", state.lower(), record.seconds)
            _send(Message(state, watch.take_points(), record.metrics, record.seconds))


def _send(message: Message) -> None:
    tune.report(to_result(message))
