"""A stage kind whose values are known beforehand, and a study whose arms get seeds by looks."""
# ruff: noqa: ARG001  (all stage kinds are called alike)

import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rotlab.execution.conduct.job import Job
from rotlab.execution.search.looking import Looking
from rotlab.planning.stage import DataRef, Judged, Resources, Stage, StageKind
from rotlab.reporting.looking import verdicts
from rotlab.store.decision_book import DecisionBook
from rotnet.learning.watch import Watch
from tests.rotlab.execution.search.small import job_of, study_of

TEXT = """
name: throws
question: Who throws farther?
base: tiny
data: {target: weizmann}
axes: {throw.force: [0, 1, 20]}
ablate: {throw.force: 0}
replicates: {until: decided, looks: [3, 5, 7]}
measure: throw
"""


class Throw(BaseModel):
    """How hard to throw: forces are means, in standard deviations of the distance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    force: float = 0.0
    seconds: float = 0.02


class ThrowConfig(BaseModel):
    """What a stage is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    throw: Throw = Throw()
    seed: int = 0


def distance(force: float, seed: int) -> float:
    """Return how far it goes: normal, of a standard deviation of 1."""
    return force + random.Random(f"{force:g}:{seed}").gauss(0, 1)  # noqa: S311


def value(stage: Stage) -> float:
    """Return what a stage will tell."""
    assert isinstance(stage.config, ThrowConfig)
    return distance(stage.config.throw.force, stage.config.seed)


def throw(
    config: ThrowConfig,
    inputs: Mapping[str, Path],
    data: Sequence[tuple[DataRef, Path]],
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Tell the distance on videos held out, and another one on test videos."""
    time.sleep(config.throw.seconds)
    far = distance(config.throw.force, config.seed)
    watch.report(1, {"distance": far})
    return {"distance": far, "accuracy": far / 100}


THROW = StageKind(
    "throw",
    ThrowConfig,
    1,
    f"{__name__}:throw",
    resources=Resources(gpus=0),
    judged=Judged("distance"),
)
KINDS = {"throw": THROW}


def looking(folder: Path, text: str = TEXT) -> Looking:
    """Return the looks of a study, kept in a store in the folder; its file is written beside it."""
    _, planner = study_of(folder / "store", text, THROW)
    return Looking(planner, DecisionBook(folder / "store"), verdicts)


def make_looking_job(store: Path, text: str = TEXT) -> Job:
    """Return a run of the study in a folder called store."""
    return job_of(store, text, THROW, looking(store.parent, text))
