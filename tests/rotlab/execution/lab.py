"""Stage kinds for trying the platform: they count, wait, fail or die on request."""
# ruff: noqa: ARG001  (all stage kinds are called alike)

import contextlib
import json
import math
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from rotlab.execution.conduct.job import Job
from rotlab.execution.conduct.peaks import write_peak
from rotlab.planning.key import stage_key
from rotlab.planning.lengths import continuations
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.share import Peak
from rotlab.planning.stage import Cell, DataRef, Length, Resources, Stage, StageKind
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotnet.config import identity
from rotnet.learning.watch import Stopped, Watch


class CountConfig(BaseModel):
    """How far to count, and what happens on the way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    epochs: int = 2
    seconds: float = 0.0
    fail: bool = False
    die_once: bool = False
    diverge: bool = False
    hang_once: bool = False
    no_memory_once: bool = False


def brief(config: CountConfig) -> CountConfig:
    """Return the settings of a short count."""
    return config.model_copy(update={"epochs": 4, "seconds": 0.0})


def fills(config: CountConfig) -> int:
    """Return how many videos fill a batch: a count has none."""
    return 1


COUNT = StageKind(
    "count",
    CountConfig,
    1,
    f"{__name__}:count",
    resources=Resources(gpus=0),
    brief=brief,
    fills=fills,
)
TOTAL = StageKind(
    "total", CountConfig, 1, f"{__name__}:total", resources=Resources(gpus=0), brief=brief
)


def beginning(config: CountConfig, epochs: int) -> dict[str, Any]:
    """Lengths are learnt alike, and so is what fails later."""
    return config.model_dump(exclude={"epochs", "fail"})


def undivided(config: CountConfig) -> None:
    """All have shorter ones."""


LEARN = StageKind(
    "learn",
    CountConfig,
    1,
    f"{__name__}:learn",
    resources=Resources(gpus=0),
    length=Length("epochs", beginning, undivided),
)
KINDS = {kind.name: kind for kind in (COUNT, TOTAL, LEARN)}


def count(
    config: CountConfig,
    inputs: Mapping[str, Path],
    data: Sequence[tuple[DataRef, Path]],
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Count epochs, saving each, and go on from what lies in the folder."""
    state = folder / "state.json"
    epochs: list[int] = json.loads(state.read_text()) if state.exists() else []
    resumed_at = len(epochs)
    while len(epochs) < config.epochs:
        if watch.should_stop() != "no":  # every epoch is a checkpoint
            raise Stopped
        time.sleep(config.seconds)
        epochs.append(os.getpid())
        aside = folder / "state.json.part"
        aside.write_text(json.dumps(epochs))
        aside.replace(state)
        watch.report(len(epochs), {"loss": 1 / len(epochs)})
        watch.saved(len(epochs), state)
        if config.fail:
            raise ValueError(f"{config.name} cannot count")
        if config.die_once and resumed_at == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if config.hang_once and resumed_at == 0:
            time.sleep(1000)
        if config.no_memory_once and resumed_at == 0:
            raise MemoryError
    odd = {"odd": math.inf} if config.diverge else {}
    return {"epochs": float(len(epochs)), "resumed_at": float(resumed_at), **odd}


def learn(
    config: CountConfig,
    inputs: Mapping[str, Path],
    data: Sequence[tuple[DataRef, Path]],
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Learn what each epoch is called, saving each, and go on from the last checkpoint."""
    state, result = folder / "checkpoint.pt", folder / "learnt.json"
    learnt: list[str] = json.loads(state.read_text()) if state.exists() else []
    began_at = len(learnt)
    while len(learnt) < config.epochs:
        if watch.should_stop() == "now":
            raise Stopped
        time.sleep(config.seconds)
        learnt.append(f"{config.name}, epoch {len(learnt)}")
        state.write_text(json.dumps(learnt))
        watch.report(len(learnt), {"began_at": began_at})
        watch.saved(len(learnt), state)
        if config.fail:
            raise ValueError(f"{config.name} cannot learn")
    result.write_text(json.dumps(learnt))
    return {"accuracy": float(len(learnt))}


@contextlib.contextmanager
def gauge(note: Path) -> Iterator[None]:
    """Measure on a device of 100 bytes, of which every stage takes 40."""
    yield
    write_peak(note, Peak("Small 100", 100, 40))


def total(
    config: CountConfig,
    inputs: Mapping[str, Path],
    data: Sequence[tuple[DataRef, Path]],
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Add up what the inputs counted or learnt."""
    lists = [json.loads(next(path.glob("*.json")).read_text()) for path in inputs.values()]
    return {"accuracy": float(sum(len(each) for each in lists))}


def make_stage(kind: str, inputs: Mapping[str, Stage] | None = None, **config: Any) -> Stage:
    """Return a stage whose key depends on all that is given."""
    parents = {name: parent.key for name, parent in (inputs or {}).items()}
    settings = CountConfig(**config)
    key = stage_key(KINDS[kind], identity(settings), parents, ())
    return Stage(key, kind, settings, parents)


def make_plan(stages: Sequence[Stage], name: str = "lab") -> Plan:
    """Return a plan of these stages, parents first, with a cell for each that none takes in."""
    parents = {parent for stage in stages for parent in stage.inputs.values()}
    cells = tuple(
        Cell({"name": stage.key[:8]}, "nothing", {"seed": 0}, stage.kind, stage.key, (stage.key,))
        for stage in stages
        if stage.key not in parents
    )
    by_key = {stage.key: stage for stage in stages}
    continues = continuations(by_key, KINDS)
    return Plan(name, "Can it count?", ("name",), cells, by_key, continues=continues)


def make_job(plan: Plan, store: Path | str, **more: Any) -> Job:
    """Return a run of the plan on this machine; `more` are fields of the job."""
    resources = {kind.name: kind.resources for kind in KINDS.values()}
    return Job(
        plan,
        KINDS,
        text="",
        data={},
        store=Store.open(str(store)),
        options=("--store", str(store)),
        **{"resources": resources, "cpus": 2, "gpus": 0, **more},
    )


def make_record(stage: Stage) -> Record:
    """Return a record that says no more than that the stage is done."""
    key, kind = stage.key, stage.kind
    return Record(key, kind, "1", {}, {}, 1.0, {}, {}, (), {}, "", "cpu", None, "then", "now")
