"""A stage inside a Ray worker: how it is begun, and how its end is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from rotlab.execution.failures import describe
from rotlab.execution.message import Message, State, to_result
from rotlab.execution.perform import Work, perform
from rotlab.execution.watch import TrialWatch
from rotnet.learning.watch import Stopped


def run_trial(config: Mapping[str, Any], work: Work, stop_file: Path) -> None:
    """Do the stage that Tune's configuration names, and report how it ended.

    A failed stage's error is raised after it was reported, so that Tune gives up the process: a
    stage that failed may have left anything behind in it.

    Args:
        config: "stage", its key; "attempt", the attempt's identity; "gpus", what it was given.
        work: the plan.
        stop_file: whose presence is the wish to stop.
    """
    watch = TrialWatch(_send, stop_file)
    try:
        record = perform(config["stage"], work, watch, config["attempt"], config["gpus"])
    except Stopped:
        _send(Message("KILLED", watch.take_points()))
    except Exception as error:
        _send(Message("FAILED", watch.take_points(), error=describe(error)))
        raise
    else:
        state: State = "FINISHED" if record.attempt == config["attempt"] else "REUSED"
        _send(Message(state, watch.take_points(), record.metrics, record.seconds))


def _send(message: Message) -> None:
    tune.report(to_result(message))
