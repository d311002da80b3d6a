"""A study's runs in MLflow made whole again from its journal, in this process."""

import os
from dataclasses import dataclass

from rotlab.tracking.client import UNREACHABLE, reason
from rotlab.tracking.errand import Errand
from rotlab.tracking.sender import Sender
from rotlab.tracking.turn import taking_turn
from rotlab.tracking.uri import TrackingError


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What became of a study in MLflow.

    Args:
        found: runs that were there, and have been brought to what the journal says.
        made: runs that were not.
    """

    found: int
    made: int


def rebuild(errand: Errand) -> Rebuilt:
    """Send a whole journal, whatever was sent before; cut short, the rest goes with the next start.

    Raises:
        TrackingError: if another process writes the study, or MLflow does not take it.
        JournalError: if the journal is damaged.
    """
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a request sent twice may make two runs
    with taking_turn(errand.journal) as other:
        if other is not None:
            raise TrackingError(
                f"process {other} is writing study {errand.plan.name!r} to MLflow; "
                "wait until it has ended"
            )
        sender = Sender(errand, anew=True)
        try:
            sender.send()
        except UNREACHABLE as error:
            raise TrackingError(
                f"MLflow at {errand.uri} has not taken all of study {errand.plan.name!r} "
                f"({reason(error)}); the same command goes on"
            ) from error
        return Rebuilt(sender.found, sender.made)
