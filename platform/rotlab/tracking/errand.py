"""What the process that writes to MLflow is given to do. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from rotlab.planning.plan.plan import Plan
from rotlab.tracking.artifacts import Artifacts, Shelf


@dataclass(frozen=True, slots=True)
class Errand:
    """A study to be brought to MLflow.

    Args:
        plan: the study as it is planned now.
        journal: what happened in it.
        uri: MLflow's tracking URI.
        artifact_root: where artifacts of a new experiment are to lie; None leaves that to MLflow.
        revision: of the plan.
        configs: stage kind -> what its settings are, for stages that are added to the plan.
        begin: the journal's end when the driver began, in bytes. What a driver with another
            revision of the plan adds behind is left to that one's own writer.
        shelf: where results lie, whose files are to go there; None: no files go.
        artifacts: which of them.
    """

    plan: Plan
    journal: Path
    uri: str
    artifact_root: str | None = None
    revision: int | None = None
    configs: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    begin: int = 0
    shelf: Shelf | None = None
    artifacts: Artifacts = "small"
