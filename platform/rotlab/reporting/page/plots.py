"""Figures as plotly.js takes them, as plain values: effects, arms with their seeds, curves.

Colours are left to the page's script, which knows whether it is dark; a trace says which of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rotlab.reporting.arms import ArmSummary
from rotlab.reporting.contrasts import Contrast
from rotlab.reporting.scale import Scale
from rotlab.reporting.sentences import describe, is_shown

Plot = dict[str, Any]

_ROW_PX, _FRAME_PX = 26, 90


def effects_plot(contrasts: Sequence[Contrast], scale: Scale, unit: str) -> Plot | None:
    """Return each difference with its 95 % interval; filled where a difference is shown."""
    rows = [
        (contrast_name(one), one.difference)
        for one in contrasts
        if one.difference is not None and one.difference.low is not None
    ]
    if not rows:
        return None
    factor = 100 if scale.percent else 1
    names = [_plain(name) for name, _ in rows]
    found = [difference for _, difference in rows]
    middle = [one.difference * factor for one in found]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": middle,
        "y": names,
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [((one.high or 0) - one.difference) * factor for one in found],
            "arrayminus": [(one.difference - (one.low or 0)) * factor for one in found],
            "thickness": 2,
        },
        "marker": {
            "size": 10,
            "symbol": ["circle" if is_shown(one) else "circle-open" for one in found],
        },
        "hovertemplate": "%{y}: %{x:.3g}<extra></extra>",
        "meta": {"colour": 0},
    }
    layout = _layout(len(rows), f"difference in{unit}" if unit else "difference")
    layout["shapes"] = [
        {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 1}}
    ]
    return {"data": [trace], "layout": layout}


def arms_plot(arms: Sequence[ArmSummary], names: Sequence[str], scale: Scale, unit: str) -> Plot:
    """Return each arm's mean with its 95 % interval, and its independent values."""
    factor = 100 if scale.percent else 1
    kept = [
        (arm, arm.estimate, _plain(name))
        for arm, name in zip(arms, names, strict=True)
        if arm.estimate is not None
    ]
    means = {
        "type": "scatter",
        "mode": "markers",
        "name": "mean, 95 % interval",
        "x": [estimate.mean * factor for _, estimate, _ in kept],
        "y": [name for _, _, name in kept],
        "error_x": {
            "type": "data",
            "array": [
                0 if estimate.high is None else (estimate.high - estimate.mean) * factor
                for _, estimate, _ in kept
            ],
            "thickness": 2,
        },
        "marker": {"size": 10},
        "hovertemplate": "%{y}: %{x:.3g}<extra></extra>",
        "meta": {"colour": 0},
    }
    points = [(value * factor, name) for arm, _, name in kept for value in arm.seed_means]
    seeds = {
        "type": "scatter",
        "mode": "markers",
        "name": "one seed",
        "x": [value for value, _ in points],
        "y": [name for _, name in points],
        "marker": {"size": 6, "symbol": "line-ns-open"},
        "hovertemplate": "%{y}: %{x:.3g}<extra></extra>",
        "meta": {"colour": 1},
    }
    return {"data": [means, seeds], "layout": _layout(len(kept), unit.strip() or "value")}


def curves_plot(curves: Sequence[tuple[str, Sequence[tuple[int, float]]]], metric: str) -> Plot:
    """Return one line for each (name, points by step); lines of one name have one colour."""
    places: Mapping[str, int] = {
        name: place for place, name in enumerate(dict.fromkeys(name for name, _ in curves))
    }
    seen: set[str] = set()
    data = []
    for name, points in curves:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": _plain(name),
                "legendgroup": name,
                "showlegend": name not in seen,
                "x": [step for step, _ in points],
                "y": [value for _, value in points],
                "line": {"width": 1.5},
                "hovertemplate": "step %{x}: %{y:.4g}<extra>%{fullData.name}</extra>",
                "meta": {"colour": places[name]},
            }
        )
        seen.add(name)
    layout = {
        "height": 340 + 20 * min(len(places), 12),
        "margin": {"l": 56, "r": 12, "t": 12, "b": 48},
        "xaxis": {"title": {"text": "step"}},
        "yaxis": {"title": {"text": metric}},
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.25},
    }
    return {"data": data, "layout": layout}


def contrast_name(contrast: Contrast) -> str:
    """Return what a difference is of, for people: "rotation: dif, frames 16"."""
    where = f": {describe(contrast.setting)}" if contrast.setting else ""
    return f"{describe(contrast.treatment)}{where}"


def _plain(text: str) -> str:
    """Text that plotly.js shows as it is; it reads some tags, links among them, as such."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _layout(rows: int, unit: str) -> Plot:
    return {
        "height": _FRAME_PX + _ROW_PX * max(rows, 2),
        "margin": {"l": 8, "r": 12, "t": 8, "b": 44},
        "xaxis": {"title": {"text": unit}},
        "yaxis": {"automargin": True, "autorange": "reversed", "type": "category"},
        "showlegend": False,
    }
