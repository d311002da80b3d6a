"""A stage kind that climbs, epoch by epoch: who is fast at first does not get highest."""
# ruff: noqa: ARG001  (all stage kinds are called alike)

import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from rotlab.execution.conduct.job import Job
from rotlab.execution.search.contests import searches_of
from rotlab.execution.search.searches import Searches
from rotlab.planning.plan.planner import Planner
from rotlab.planning.stage import DataRef, Judged, Length, Resources, StageKind
from rotlab.store.store import Store
from rotnet.learning.watch import Stopped, Watch
from tests.rotlab.execution.search.small import job_of, study_of

PRUNER = "  pruner: {name: asha, grace_period: 3, reduction_factor: 2}\n"
PLAIN = """
name: climbs
question: How high do they get, each at its best rate?
base: tiny
data: {target: weizmann}
axes: {climb.bend: [0, 1]}
replicates: {seed: [0, 1]}
measure: climb
search:
  settings: {climb.rate: {low: 1e-3, high: 1, log: true}}
  proposals: 8
  at_once: 3
  sampler: random
"""
TEXT = PLAIN + PRUNER


class Climb(BaseModel):
    """A climb: the faster, the lower it ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate: float = 1.0
    bend: int = 0
    epochs: int = 20
    seconds: float = 0.0


class ClimbConfig(BaseModel):
    """What a stage is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    climb: Climb = Climb()
    seed: int = 0


def height(climb: Climb, seed: int, epoch: int) -> float:
    """How high a climb is after an epoch: highest at the end at a rate of 0.05, or 0.2 if bent."""
    best = 0.05 if not climb.bend else 0.2
    top = 1 - 0.2 * math.log10(climb.rate / best) ** 2
    wobble = 0.02 * math.sin(1000 * climb.rate + 7 * seed + epoch)
    return top * (1 - math.exp(-epoch * (0.1 + 0.4 * climb.rate))) + wobble


def go_up(
    config: ClimbConfig,
    inputs: Mapping[str, Path],
    data: Sequence[tuple[DataRef, Path]],
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Climb from the last checkpoint on; what is carried along depends on every step before."""
    climb, state = config.climb, folder / "checkpoint.pt"
    rows: list[dict[str, float]] = json.loads(state.read_text()) if state.exists() else []
    (folder / "began.txt").write_text(str(len(rows)))  # epochs that came with the folder
    while len(rows) < climb.epochs:
        time.sleep(climb.seconds)
        epoch = len(rows) + 1
        carried = rows[-1]["carried"] if rows else 0.3 + 0.1 * config.seed
        row = {"step": epoch, "height": height(climb, config.seed, epoch)}
        rows.append({**row, "carried": 3.9 * carried * (1 - carried)})
        watch.report(epoch, {"height": row["height"]})
        wish = watch.should_stop()
        if wish == "now":
            raise Stopped
        state.write_text(json.dumps(rows))
        watch.saved(epoch, state)
        if wish == "at_checkpoint" and epoch < climb.epochs:
            raise Stopped
    (folder / "history.json").write_text(json.dumps(rows))
    return {"height": rows[-1]["height"], "carried": rows[-1]["carried"]}


def beginning(config: ClimbConfig, epochs: int) -> dict[str, Any]:
    """Climbs of other lengths have nothing to do with one another."""
    return config.model_dump()


def undivided(config: ClimbConfig) -> tuple[str, str]:
    """None has a shorter one."""
    return "a climb is one climb", "climb.rate"


CLIMB = StageKind(
    "climb",
    ClimbConfig,
    1,
    f"{__name__}:go_up",
    resources=Resources(gpus=0),
    length=Length("climb.epochs", beginning, undivided),
    judged=Judged("height", by_epoch=lambda name: name == "height"),
)
KINDS = {"climb": CLIMB}


def make_climbs(store: Path, text: str = TEXT) -> tuple[Planner, Searches]:
    """Return the study's planner and searches; its file is written beside the store."""
    spec, planner = study_of(store, text, CLIMB)
    assert spec.search is not None
    return planner, searches_of(planner, spec.search, KINDS, Store(store), spec.name, {})


def make_climbing_job(store: Path, text: str = TEXT) -> Job:
    """Return a run of the study."""
    _, searches = make_climbs(store, text)
    return job_of(store, text, CLIMB, searches)
