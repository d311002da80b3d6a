"""Which learning curves a page shows, and which arm each is of."""

from collections.abc import Mapping, Sequence

import pandas as pd

from rotlab.reporting.arms import as_text
from rotlab.reporting.page.markup import figure, paragraph, table, text
from rotlab.reporting.page.plots import curves_plot
from rotlab.reporting.sentences import describe, show_value
from rotlab.reporting.tables import Column
from rotlab.tracking.query import STAGES
from rotlab.tracking.stage_runs import Curve, StageRun

METRICS = ("loss", "val_loss", "accuracy", "val_accuracy")
MOST = 40  # stages of a kind; each curve is a request to MLflow
_POINTS = 300  # of a curve; more are no sharper on a screen


def chosen(stages: Sequence[StageRun]) -> list[StageRun]:
    """Return the stages whose curves are shown: of each kind 40 at most, evenly chosen."""
    kinds = dict.fromkeys(one.kind for one in stages)
    by_kind = [[one for one in stages if one.kind == kind and _learns(one)] for kind in kinds]
    return [one for own in by_kind for one in own[:: -(-len(own) // MOST) or 1]]


def curves_html(
    stages: Sequence[StageRun],
    curves: Mapping[str, Mapping[str, Curve]],
    names: Mapping[str, str],
) -> str:
    """Return a figure for each kind of stage and metric that has curves; names tell arms."""
    parts = []
    for kind in dict.fromkeys(one.kind for one in stages):
        own = [one for one in stages if one.kind == kind]
        figures = []
        for metric in METRICS:
            lines = [
                (names.get(one.key, kind), _thinned(curves[one.key][metric]))
                for one in own
                if metric in curves.get(one.key, {})
            ]
            if lines:
                name = f"curve-{kind}-{metric}"
                caption = f"{kind}: {metric} by step, one line for each of {len(lines)} stages"
                numbers = table(f"{name}-ends", f"{kind}: {metric} at its ends", _ends(lines))
                figures.append(figure(name, caption, curves_plot(lines, metric), numbers))
        if figures:
            parts.append(f"<h3>{text(kind)}</h3>" + "".join(figures))
            trained = sum(map(_learns, own))
            if trained > MOST:
                drawn = sum(one.key in curves for one in own)
                said = f"{drawn} of {trained} stages are shown, evenly chosen."
                parts.append(paragraph(said, "note"))
    return "".join(parts)


def stage_names(stages: Sequence[StageRun], frame: pd.DataFrame) -> dict[str, str]:
    """Return stage -> the axis values that it has itself, or that all its cells have, in words.

    Only of axes on which the study's cells differ.
    """
    axes: list[str] = frame.attrs["axes"]
    varying = [axis for axis in axes if len(set(map(as_text, frame[axis]))) > 1]
    common: dict[str, dict[str, str]] = {}
    for record in frame.to_dict("records"):
        arm = {axis: show_value(record[axis]) for axis in varying if record[axis] is not None}
        for key in record[STAGES] or ():
            held = common.setdefault(key, arm)
            common[key] = {axis: value for axis, value in held.items() if arm.get(axis) == value}
    own = {
        one.key: {axis: one.params[axis] for axis in varying if axis in one.params}
        for one in stages
    }
    return {
        key: describe({axis: held[axis] for axis in varying if axis in held}) or "all arms"
        for key, held in ((key, common[key] | own.get(key, {})) for key in common)
    }


def _learns(stage: StageRun) -> bool:
    return any(metric in stage.metrics for metric in METRICS[:2])


def _ends(lines: Sequence[tuple[str, Curve]]) -> list[Column]:
    """Where each curve begins and ends."""
    return [
        Column("stage of", tuple(name for name, _ in lines)),
        Column("first", tuple(f"{curve[0][1]:.4g}" for _, curve in lines), number=True),
        Column("last", tuple(f"{curve[-1][1]:.4g}" for _, curve in lines), number=True),
        Column("steps", tuple(str(curve[-1][0]) for _, curve in lines), number=True),
    ]


def _thinned(curve: Curve) -> Curve:
    step = max(1, -(-len(curve) // _POINTS))
    return curve[::step] if curve[::step][-1] == curve[-1] else (*curve[::step], curve[-1])
