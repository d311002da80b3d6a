"""Which arms are set against which baseline, all else equal, and by how much they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rotlab.reporting.arms import ArmSummary, as_text, has_values, varying_axes
from rotlab.reporting.chains import pairs
from rotlab.reporting.family import adjust
from rotlab.reporting.resampled import resampled
from rotlab.reporting.spread import Spread
from rotlab.reporting.statistics import FEWEST, Difference, paired, spread_over, unpaired

SCRATCH: Mapping[str, Any] = {"init": "scratch"}
RANDOM: Mapping[str, Any] = {"init": "random-frozen"}
UNTRAINED = (SCRATCH, RANDOM)  # what arms are set against unless something else is asked for


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
    bases = [place for place, arm in enumerate(arms) if has_values(arm, baseline)]
    treated = [
        place
        for place, arm in enumerate(arms)
        if place not in bases and any(axis in arm.arm for axis in baseline)
    ]
    shown = varying_axes((arms[place] for place in treated), others)
    held = [{axis: as_text(value) for axis, value in arm.arm.items()} for arm in arms]
    spread = spread_over([arm.seed_means for arm in arms])
    found = [
        _contrast(arms, (place, base), baseline, shown, spread, test_share)
        for place in treated
        for base in bases
        if all(
            axis not in held[base] or held[base][axis] == held[place].get(axis) for axis in others
        )
    ]
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


def _difference(
    arm: ArmSummary,
    base: ArmSummary,
    spread: Spread,
    places: tuple[int, int],
    test_share: float | None,
) -> Difference:
    """Paired where the two share a stage, chain by chain, and enough chains do."""
    if test_share is not None and len(arm.chains) == len(base.chains) == 1:
        first, second = arm.chains[0].splits, base.chains[0].splits
        return resampled([first[one] - second[one] for one in first if one in second], test_share)
    shared = pairs(arm.chains, base.chains)
    enough = min(FEWEST, len(arm.chains), len(base.chains))
    if shared is not None and len(shared) >= enough:
        return paired(shared)
    return unpaired(arm.seed_means, base.seed_means, spread, places)
