"""A stage kind whose settings may change on its way, and a study that trains populations of it."""
# ruff: noqa: ARG001  (all stage kinds are called alike)

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from rotlab.execution.conduct.job import Job
from rotlab.planning.stage import DataRef, Judged, Length, Resources, StageKind
from rotnet.learning.watch import Stopped, Watch
from tests.rotlab.execution.search.small import searching_job_of

TEXT = """
name: walks
question: How far do they get, each at its best pace?
base: tiny
data: {target: weizmann}
walk: {epochs: 6, seconds: 0.1}
replicates: {seed: [0, 1]}
measure: walk
search:
  settings: {walk.pace: {low: 1e-2, high: 10, log: true}}
  population: {members: 4, every: 2}
"""


class Turn(BaseModel):
    """Another pace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: int
    pace: float


class Walk(BaseModel):
    """A walk; the best pace is 1 at its beginning, and falls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pace: float = 1.0
    epochs: int = 4
    seconds: float = 0.0
    changes: Annotated[tuple[Turn, ...], Field(json_schema_extra={"neutral": []})] = ()

    def pace_in(self, epoch: int) -> float:
        """The pace in an epoch, counted from 0."""
        return next((one.pace for one in self.changes[::-1] if one.after <= epoch), self.pace)


class WalkConfig(BaseModel):
    """What a stage is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    walk: Walk = Walk()
    seed: int = 0


def go(
    config: WalkConfig,
    inputs: Mapping[str, Path],
    data: Sequence[tuple[DataRef, Path]],
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Walk on from the last checkpoint; what is told is what was walked by every pace until now."""
    walk, state = config.walk, folder / "checkpoint.pt"
    steps: list[float] = json.loads(state.read_text()) if state.exists() else []
    while len(steps) < walk.epochs:
        if watch.should_stop() != "no":
            raise Stopped
        time.sleep(walk.seconds)
        epoch = len(steps)
        steps.append(1 - abs(math.log10(walk.pace_in(epoch)) + 0.2 * epoch))
        state.write_text(json.dumps(steps))
        watch.saved(len(steps), state)
    (folder / "steps.json").write_text(json.dumps(steps))
    return {"way": math.fsum(steps) / len(steps)}


def beginning(config: WalkConfig, epochs: int) -> dict[str, Any]:
    """What decides the first epochs."""
    walk = config.walk
    paces = [walk.pace_in(epoch) for epoch in range(epochs)]
    return {"paces": paces, "seed": config.seed, "seconds": walk.seconds}


def undivided(config: WalkConfig) -> None:
    """All have shorter ones."""


WALK = StageKind(
    "walk",
    WalkConfig,
    1,
    f"{__name__}:go",
    resources=Resources(gpus=0),
    length=Length(
        "walk.epochs", beginning, undivided, changes="walk.changes", changing=("walk.pace",)
    ),
    judged=Judged("way"),
)
KINDS = {"walk": WALK}


def make_walking_job(store: Path, text: str = TEXT) -> Job:
    """Return a run of the study; its file is written beside the store."""
    return searching_job_of(store, text, WALK)
