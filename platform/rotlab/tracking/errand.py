"""What the process that writes to MLflow is given to do. Values only."""

from dataclasses import dataclass
from pathlib import Path

from rotlab.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class Errand:
    """A study to be brought to MLflow.

    Args:
        plan: the study as it is planned now.
        journal: what happened in it.
        uri: MLflow's tracking URI.
        artifact_root: where artifacts of a new experiment are to lie; None leaves that to MLflow.
        revision: of the plan.
        begin: the journal's end when the driver began, in bytes. What a driver with another
            revision of the plan adds behind is left to that one's own writer.
    """

    plan: Plan
    journal: Path
    uri: str
    artifact_root: str | None = None
    revision: int | None = None
    begin: int = 0
