"""Which arms are set against which baseline, all else equal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rotlab.planning.key import canonical

SCRATCH: Mapping[str, Any] = {"init": "scratch"}
RANDOM: Mapping[str, Any] = {"init": "random-frozen"}
UNTRAINED = (SCRATCH, RANDOM)  # what arms are set against unless something else is asked for

Values = Mapping[str, Any]


def untrained(arms: Sequence[Values]) -> Values:
    """Return the baseline unless another is asked for: scratch, or else the random network.

    Args:
        arms: axis -> value, of each.
    """
    held = (one for one in UNTRAINED if any(has_values(arm, one) for arm in arms))
    return next(held, SCRATCH)


def has_values(arm: Values, values: Values) -> bool:
    """Say whether an arm has all of these: axis -> value."""
    return all(
        axis in arm and canonical(arm[axis]) == canonical(value) for axis, value in values.items()
    )


def differences(
    arms: Sequence[Values], axes: Sequence[str], baseline: Values
) -> tuple[tuple[int, int], ...]:
    """Return the places of arm and baseline of every difference, in the order of the arms.

    A baseline is an arm that has the baseline's values, and equals the other on each axis that it
    has besides.

    Args:
        arms: axis -> value, of each, only the axes that it has.
        axes: of the study.
        baseline: axis -> value.
    """
    others = [axis for axis in axes if axis not in baseline]
    bases = [place for place, arm in enumerate(arms) if has_values(arm, baseline)]
    held = [{axis: canonical(value) for axis, value in arm.items()} for arm in arms]
    return tuple(
        (place, base)
        for place, arm in enumerate(arms)
        if place not in bases and any(axis in arm for axis in baseline)
        for base in bases
        if all(
            axis not in held[base] or held[base][axis] == held[place].get(axis) for axis in others
        )
    )
