"""The baseline around which a search space varies one thing at a time, read and checked."""

from collections.abc import Mapping, Sequence

from rotlab.planning.space.combinations import steps_with
from rotlab.planning.space.conditions import REFUSED, Conditions
from rotlab.planning.space.factors import Factor
from rotlab.planning.space.names import unknown
from rotlab.planning.space.refusals import shown
from rotlab.planning.space.report import Report
from rotlab.planning.space.source import Place
from rotlab.planning.space.values import as_text

ABLATE = "ablate"


def read_baseline(
    report: Report,
    conditions: Conditions,
    factors: Sequence[Factor],
    places: Mapping[str, Place],
) -> dict[str, int]:
    """Return the baseline's choices, axis -> index of its value; empty where there is none.

    Of axes that vary together the file names one or all; the baseline has all.

    Args:
        report: notes what is wrong.
        conditions: that normalise values.
        factors: of the grid.
        places: axis -> where it stands; one with a problem there is not asked for its values.
    """
    if not report.has((ABLATE,)):
        return {}
    varying = [axis for factor in factors for axis in factor.axes]
    if not varying:
        report.add((ABLATE,), "needs axes or zip: what varies, one at a time, around the baseline")
        return {}
    given = report.mapping((ABLATE,), varying, "axis")
    if report.get((ABLATE,)) == {}:
        listed = ", ".join(varying)
        report.add((ABLATE,), f"names no axis; give the baseline's value of some of {listed}")
    found: dict[str, int] = {}
    for factor in factors:
        named = {axis: given[axis] for axis in factor.axes if axis in given}
        if any(report.refuses(places[axis]) for axis in named):
            continue
        indices = {axis: _index(conditions, axis, value) for axis, value in named.items()}
        held = {axis: index for axis, index in indices.items() if index is not None}
        if not named or len(held) < len(named):
            continue
        steps = steps_with(factor, held)
        if len(steps) == 1:
            found.update(zip(factor.axes, steps[0], strict=True))
            continue
        count = f"{len(steps)} steps have" if steps else "no step has"
        together = ", ".join(factor.axes)
        said = f"{count} what it names of {together}, which vary together; name one step"
        report.add((ABLATE, next(iter(named))), said)
    return found


def _index(conditions: Conditions, axis: str, value: object) -> int | None:
    """The index of a value among its axis's; None after a problem."""
    form = conditions.form((ABLATE, axis), axis, value)
    held = [as_text(one) for one in conditions.axes[axis]]
    if form is REFUSED:
        return None
    if as_text(form) in held:
        return held.index(as_text(form))
    said = unknown("value", value, [shown(one) for one in conditions.axes[axis]])
    conditions.report.add((ABLATE, axis), f"{said}; the baseline has one of the axis's own values")
    return None
