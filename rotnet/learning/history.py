"""What a training left behind beside its network: its course, and its last figures."""

import json
from collections.abc import Sequence
from pathlib import Path

from rotnet.data.loader import Fit

HISTORY = "history.json"


def write_history(history: Sequence[dict[str, float]], folder: Path) -> None:
    """Write one row of metrics for each report to <folder>/history.json."""
    aside = folder / (HISTORY + ".part")
    aside.write_text(json.dumps(list(history), indent=1) + "\n", encoding="utf-8")
    aside.replace(folder / HISTORY)


def final_metrics(history: Sequence[dict[str, float]], fit: Fit, num_val: int) -> dict[str, float]:
    """Return a training's figures: its last report, as train_* and val_*, and counts of videos."""
    last = dict(history[-1])
    return {
        "steps": last.pop("step"),
        "train_loss": last.pop("loss"),
        "train_accuracy": last.pop("accuracy"),
        **{name: value for name, value in last.items() if name.startswith("val_")},
        "videos": fit.used,
        "val_videos": num_val,
        "short_videos": fit.short,
        "dropped_videos": fit.dropped,
        "upscaled_videos": fit.upscaled,
        "largest_upscale": fit.factor,
    }
