"""Studies to make pages of."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from rotlab.reporting.comparison import compare
from rotlab.reporting.outside import read_outside
from rotlab.reporting.page.facts import Source
from rotlab.reporting.page.page import Study
from rotlab.tracking.stage_runs import StageRun
from tests.rotlab.tracking.strips import make_strip

Frame = Callable[..., pd.DataFrame]
NASTY = "<script>alert('x')</script> & \"q\""


def page_stage(key: str, kind: str, **changed: Any) -> StageRun:
    """Return a finished stage, but for what is changed."""
    plain: dict[str, Any] = {
        "state": "FINISHED",
        "seconds": 3600.0,
        "start_ms": 1_790_000_000_000,
        "end_ms": 1_790_000_360_000,
        "error": "",
        "data": ("train:demo:1",),
        "run_id": "r",
        "metrics": {"loss": 0.1},
        "params": {},
    }
    return StageRun(key=key, kind=kind, **{**plain, **changed})


def make_study(frame: Frame) -> Study:
    """Ten arms, with text that a browser would read as tags; one cell has failed."""
    rows: list[dict[str, Any]] = []
    keys: list[tuple[str, ...]] = []
    for modality in ("rgb", "dif"):
        for number, init in enumerate(("scratch", "rotation", "pace", NASTY, "order")):
            for seed in range(3):
                row = {"modality": modality, "init": init, "seed": seed}
                rows.append(row | {"accuracy": 0.3 + number / 10 + seed / 50, "chance": 0.1})
                keys.append((f"t-{modality}-{number}-{seed}", f"e-{modality}-{number}-{seed}"))
    del rows[-1]["accuracy"]
    rows[-1]["state"] = "FAILED"
    made = frame(rows, ["modality", "init"])
    made["stages"] = pd.Series(keys, dtype=object)
    made.attrs["question"] = f"Does {NASTY} help?"
    stages = [page_stage(key, "finetune") for key, _ in keys]
    stages[-1] = page_stage(
        keys[-1][0], "finetune", state="FAILED", error=f"Traceback\nBad: {NASTY}"
    )
    curves = {keys[0][0]: {"loss": ((0, 1.0), (1, 0.5))}}
    source = Source("mine", "https://me:secret@mlflow.example/x", "1", datetime.now(UTC), {})
    return Study(made, compare(made), stages, curves, read_outside(), source)


def looked_at(study: Study) -> Study:
    """The study with the attention of two of its networks; old ones have none."""
    keys = [held[-1] for held in study.frame["stages"] if held[-1].endswith("-0")]
    scored = [page_stage(key, "evaluate", data=("test:demo:1",)) for key in keys]
    strips = {key: make_strip(40 * place) for place, key in enumerate(keys[:2], start=1)}
    return replace(study, stages=[*study.stages, *scored], attention=strips)
