"""How well each rotation is told by the pretrainings of each arm, from their metrics alone."""

import re
from collections.abc import Iterable, Mapping

from rotlab.reporting.page.markup import paragraph, table
from rotlab.reporting.tables import Column
from rotlab.tracking.stage_runs import StageRun

MOST_ANGLES = 16  # more are no table; of 360 the mean error says more
_ANGLE = re.compile(r"val_accuracy_(\d+(?:\.\d+)?)")


def rotations_html(stages: Iterable[StageRun], names: Mapping[str, str]) -> str:
    """Return a table of held-out accuracy by rotation, one row an arm, the mean of its stages.

    Args:
        stages: of the study; those that tell an accuracy by angle are shown.
        names: stage -> the arm it is of.
    """
    found: dict[str, list[dict[float, float]]] = {}
    for stage in stages:
        by_angle = {
            float(match[1]): value
            for name, value in stage.metrics.items()
            if (match := _ANGLE.fullmatch(name))
        }
        if by_angle and len(by_angle) <= MOST_ANGLES:
            found.setdefault(names.get(stage.key, stage.kind), []).append(by_angle)
    if not found:
        return ""
    angles = sorted({angle for held in found.values() for one in held for angle in one})
    columns = [
        Column("pretraining of", tuple(found)),
        Column("stages", tuple(str(len(held)) for held in found.values()), number=True),
        *(
            Column(f"{angle:g}°", tuple(_mean(held, angle) for held in found.values()), number=True)
            for angle in angles
        ),
    ]
    said = "Clips of videos that were held out from pretraining; the mean of an arm's stages."
    caption = "Share of clips whose rotation is told, in %"
    return table("rotations-told", caption, columns) + paragraph(said, "note")


def _mean(held: Iterable[Mapping[float, float]], angle: float) -> str:
    values = [one[angle] for one in held if angle in one]
    return f"{100 * sum(values) / len(values):.1f}" if values else "-"
