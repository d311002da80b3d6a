"""A stage kind with a best setting that is known, and a study that searches for it."""
# ruff: noqa: ARG001  (all stage kinds are called alike)

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rotlab.execution.conduct.job import Job
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.stage import DataRef, Judged, Resources, Stage, StageKind
from rotnet.learning.watch import Unwatched, Watch
from tests.rotlab.execution.search.small import searching_job_of

TEXT = """
name: bowls
question: How low are bowls, each at its best rate?
base: tiny
data: {target: weizmann}
axes: {bowl.bend: [0, 1]}
replicates: {seed: [0, 1]}
measure: bowl
search:
  settings: {bowl.rate: {low: 1e-4, high: 10, log: true}, bowl.side: [left, right]}
  proposals: 10
  at_once: 2
  sampler: {name: tpe, n_startup_trials: 4}
"""


class Bowl(BaseModel):
    """A bowl; its lowest point is at a rate of 0.01, of a bent one at 0.1, on the right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: float = 1.0
    side: str = "left"
    bend: int = 0
    seconds: float = 0.02


class BowlConfig(BaseModel):
    """What a stage is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bowl: Bowl = Bowl()
    seed: int = 0


def roll(
    config: BowlConfig,
    inputs: Mapping[str, Path],
    data: Sequence[tuple[DataRef, Path]],
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Tell how far above the lowest point it is, as a height below 0; one side may not end."""
    bowl = config.bowl
    time.sleep(bowl.seconds)
    if bowl.side == "left" and bowl.rate > 3:
        raise FloatingPointError("it rolled away")
    height = -((math.log10(bowl.rate) + 2 - bowl.bend) ** 2) - (bowl.side == "left")
    watch.report(1, {"height": height})
    return {"height": height}


BOWL = StageKind(
    "bowl",
    BowlConfig,
    1,
    f"{__name__}:roll",
    resources=Resources(gpus=0),
    judged=Judged("height"),
)
KINDS = {"bowl": BOWL}


def make_searching_job(store: Path, text: str = TEXT) -> Job:
    """Return a run of the study; its file is written beside the store."""
    return searching_job_of(store, text, BOWL)


def search_to_the_end(store: Path, text: str = TEXT) -> Job:
    """Do in this process all that the study asks for; return the run of what is left: nothing."""
    job = make_searching_job(store, text)
    searches = job.searches
    assert searches is not None
    searches.catch_up(
        lambda stages: {key: one.metrics for key, one in job.store.records(stages).items()}
    )
    while missing := _missing(job):
        for stage in missing:
            work = Work({stage.key: stage}, KINDS, {}, store, {"bowl": 1})
            try:
                searches.done(stage.key, perform(stage.key, work, Unwatched()).metrics)
            except FloatingPointError:
                searches.lost([stage.key])
        searches.decide()
    return job


def _missing(job: Job) -> list[Stage]:
    assert job.searches is not None
    over = job.searches.over()
    return [
        stage
        for key, stage in job.searches.plan.stages.items()
        if key not in over and job.store.record(key, stage.kind) is None
    ]
