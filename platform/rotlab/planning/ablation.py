"""The baseline around which a search space varies one thing at a time, read and checked."""

from collections.abc import Mapping, Sequence
from typing import Any

from rotlab.planning.combinations import steps_with
from rotlab.planning.conditions import REFUSED, Conditions
from rotlab.planning.factors import Factor
from rotlab.planning.names import unknown
from rotlab.planning.refusals import shown
from rotlab.planning.report import Report
from rotlab.planning.values import as_text

ABLATE = "ablate"


def read_baseline(
    report: Report,
    conditions: Conditions,
    factors: Sequence[Factor],
    axes: Mapping[str, Sequence[Any]],
) -> dict[str, int]:
    """Return the baseline's choices, axis -> index of its value; empty where there is none.

    Of axes that vary together the file names one or all; the baseline has all.

    Args:
        report: notes what is wrong.
        conditions: that normalise values.
        factors: of the grid.
        axes: axis -> its values.
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
    found = {}
    for axis, value in given.items():
        held = [as_text(one) for one in axes[axis]]
        form = conditions.form((ABLATE, axis), axis, value)
        if form is REFUSED:
            continue
        if as_text(form) in held:
            found[axis] = held.index(as_text(form))
        else:
            shown_values = [shown(one) for one in axes[axis]]
            said = unknown("value", value, shown_values)
            report.add((ABLATE, axis), f"{said}; the baseline has one of the axis's own values")
    for factor in factors:
        named = [axis for axis in factor.axes if axis in found]
        steps = steps_with(factor, {axis: found[axis] for axis in named})
        if named and len(steps) != 1:
            count = f"{len(steps)} steps have" if steps else "no step has"
            together = ", ".join(factor.axes)
            said = f"{count} what it names of {together}, which vary together; name one step"
            report.add((ABLATE, named[0]), said)
            found = {axis: index for axis, index in found.items() if axis not in named}
        elif named:
            found.update(zip(factor.axes, steps[0], strict=True))
    return found
