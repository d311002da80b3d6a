"""Results as MLflow gives them back, made by hand."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

Frame = Callable[..., pd.DataFrame]
_AXES = ["pretext.rotations", "modality", "init"]


def _frame(rows: list[dict[str, Any]], axes: list[str] | None = None) -> pd.DataFrame:
    """Return a results frame; what a row leaves out is as in a plain finished cell."""
    axes = _AXES if axes is None else axes
    plain = {"target": "demo", "seed": 0, "split": 1, "measure": "finetune", "state": "FINISHED"}
    fixed = [*axes, *plain]
    metrics = sorted({name for row in rows for name in row if name not in fixed})
    whole = [dict.fromkeys(axes) | plain | row for row in rows]
    frame = pd.DataFrame(whole, columns=[*fixed, *metrics], dtype=object)
    frame = frame.astype({"seed": "Int64", "split": "Int64", **dict.fromkeys(metrics, float)})
    frame.attrs = {"question": "Does it help?", "axes": axes, "metrics": metrics}
    return frame


@pytest.fixture
def frame() -> Frame:
    return _frame


@pytest.fixture
def study(frame: Frame) -> pd.DataFrame:
    """Two modalities, scratch and rotation, three seeds; rotation helps dif and not rgb."""
    values = {
        ("rgb", "scratch"): (0.50, 0.52, 0.54),
        ("rgb", "rotation"): (0.51, 0.53, 0.52),
        ("dif", "scratch"): (0.40, 0.42, 0.41),
        ("dif", "rotation"): (0.60, 0.62, 0.61),
    }
    rows = []
    for (modality, init), accuracies in values.items():
        for seed, accuracy in enumerate(accuracies):
            row = {
                "modality": modality,
                "init": init,
                "seed": seed,
                "accuracy": accuracy,
                "chance": 0.25,
            }
            if init == "rotation":
                row |= {"pretext.rotations": 4, "pretext.val_accuracy": 0.7 + seed / 100}
            rows.append(row)
    return frame(rows)
