"""A study of real stage kinds that searches, done by a judge of its stages."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from rotlab.execution.search.distinct import Draw
from rotlab.execution.search.searches import Searches
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.planned import find_all
from rotlab.planning.plan.planner import Planner
from rotlab.planning.space.spec import load_spec
from rotlab.planning.stage import Stage
from rotlab.store.decision_book import DecisionBook

TEXT = """
name: trial
base: tiny
data: {pretrain: hockey, target: weizmann}
finetune: {val_fraction: 0.25, final: train+val}
axes: {init: [rotation, scratch]}
search:
  settings: {finetune.lr: {low: 0.001, high: 1, log: true}}
  proposals: 6
  at_once: 2
  sampler: {name: tpe, n_startup_trials: 2}
"""

# What a fine-tuning comes to on videos held out; None: it fails.
Judge = Callable[[Stage], float | None]


def searches(
    folder: Path, text: str = TEXT, draw: Draw | None = None, data: Path | None = None
) -> Searches:
    """Return the searches of a study, kept in a folder, with its data sets in another."""
    path = folder / "space.yaml"
    path.write_text(text)
    spec = load_spec(path)
    planner = Planner(spec, load_kinds(), find_all(spec, data or folder / "none"))
    assert spec.search is not None
    return Searches(planner, spec.search, DecisionBook(folder / "store"), draw)


def value(stage: Stage) -> float:
    """More for rates near 0.03."""
    return -abs(float(stage.config.finetune.lr) - 0.03)  # type: ignore[attr-defined]


def run(found: Searches, rng: np.random.Generator, judge: Judge = value, most: int = 10**6) -> int:
    """Do stages in any order that their inputs allow until nothing is left; return how many."""
    found.catch_up(lambda _: {})
    done: set[str] = set()
    while True:
        ready = [
            stage
            for key, stage in found.plan.stages.items()
            if key not in done and done.issuperset(stage.inputs.values())
        ]
        if not ready or len(done) == most:
            return len(done)
        stage = ready[int(rng.integers(len(ready)))]
        done.add(stage.key)
        if stage.kind != "finetune":
            found.done(stage.key, {})
        elif (judged := judge(stage)) is None:
            found.lost([stage.key])
        else:
            found.done(stage.key, {"val_accuracy": judged})
        found.decide()
