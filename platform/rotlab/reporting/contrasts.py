"""Which arms are set against which baseline, all else equal, and by how much they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rotlab.planning.plan.baselines import differences
from rotlab.reporting.arms import ArmSummary, has_values, varying_axes
from rotlab.reporting.chains import Chain, pairs
from rotlab.reporting.family import adjust
from rotlab.reporting.resampled import resampled
from rotlab.reporting.spread import Spread
from rotlab.reporting.statistics import FEWEST, Difference, paired, spread_over, unpaired


@dataclass(frozen=True, slots=True)
class Contrast:
    """An arm against a baseline, all else equal.

    Args:
        treatment: axis -> value, of the axes that the baseline names, such as init: rotation.
        baseline: axis -> value, such as init: scratch.
        setting: axis -> value, of the other axes on which the study's arms differ.
        difference: the arm's mean minus the baseline's; None where either has no whole seed.
        without: which of the two has none, "arm" or "baseline".
        arms: places of the two in the comparison's arms.
        elsewhere: the same difference with the interval for other test videos of the kind; None
            where that is not known.
    """

    treatment: Mapping[str, Any]
    baseline: Mapping[str, Any]
    setting: Mapping[str, Any]
    difference: Difference | None
    without: tuple[str, ...]
    arms: tuple[int, int] = (0, 0)
    elsewhere: Difference | None = None


def contrasts_of(
    arms: Sequence[ArmSummary],
    axes: tuple[str, ...],
    baseline: Mapping[str, Any],
    test_share: float | None = None,
) -> tuple[Contrast, ...]:
    """Return every arm's difference to the arm that has the baseline's values and equals it else.

    All of them are one family: Holm's correction is over all.

    Args:
        arms: of one comparison.
        axes: of the study.
        baseline: axis -> value.
        test_share: of the videos that each split tests on, where splits are drawn at random; arms
            of but one chain are then compared over them.
    """
    others = [axis for axis in axes if axis not in baseline]
    places = differences([arm.arm for arm in arms], axes, baseline)
    treated = [
        arm
        for arm in arms
        if not has_values(arm, baseline) and any(axis in arm.arm for axis in baseline)
    ]
    shown = varying_axes(treated, others)
    spread = spread_over([arm.seed_means for arm in arms])
    found = [_contrast(arms, pair, baseline, shown, spread, test_share) for pair in places]
    adjusted = adjust([one.difference for one in found])
    return tuple(
        replace(one, difference=difference) for one, difference in zip(found, adjusted, strict=True)
    )


def _contrast(
    arms: Sequence[ArmSummary],
    places: tuple[int, int],
    baseline: Mapping[str, Any],
    shown: Sequence[str],
    spread: Spread,
    test_share: float | None,
) -> Contrast:
    arm, base = (arms[place] for place in places)
    without = tuple(
        name for name, side in (("arm", arm), ("baseline", base)) if side.estimate is None
    )
    return Contrast(
        treatment={axis: arm.arm[axis] for axis in baseline if axis in arm.arm},
        baseline=baseline,
        setting={axis: arm.arm[axis] for axis in shown if axis in arm.arm},
        difference=None if without else _difference(arm, base, spread, places, test_share),
        without=without,
        arms=places,
    )


def difference_of(
    first: Sequence[Chain], second: Sequence[Chain], spread: Spread, places: tuple[int, int]
) -> Difference:
    """Return the difference of two arms, paired where they share a stage, chain by chain.

    Enough chains have to: as many as either arm has, or three.

    Args:
        first: of one arm, at least one.
        second: of the other.
        spread: of all arms that are judged together.
        places: of the two in it.
    """
    shared = pairs(first, second)
    enough = min(FEWEST, len(first), len(second))
    if shared is not None and len(shared) >= enough:
        return paired(shared)
    return unpaired([one.value for one in first], [one.value for one in second], spread, places)


def _difference(
    arm: ArmSummary,
    base: ArmSummary,
    spread: Spread,
    places: tuple[int, int],
    test_share: float | None,
) -> Difference:
    """Over splits where an arm has but one chain and splits are random."""
    if test_share is not None and len(arm.chains) == len(base.chains) == 1:
        first, second = arm.chains[0].splits, base.chains[0].splits
        return resampled([first[one] - second[one] for one in first if one in second], test_share)
    return difference_of(arm.chains, base.chains, spread, places)
