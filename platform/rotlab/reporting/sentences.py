"""A contrast as the sentence that answers the study's question."""

import json
from collections.abc import Mapping
from typing import Any

from rotlab.planning.plan.baselines import UNTRAINED
from rotlab.reporting.contrasts import Contrast
from rotlab.reporting.scale import Scale
from rotlab.reporting.statistics import CONFIDENCE, Difference

_BARE = ("init", "modality")  # axes whose values say by themselves what they are of
_SUBJECTS = {  # inits that are no pretraining
    "scratch": "training from scratch",
    "target": "training with the target's labels",
    "random-frozen": "freezing random weights",
}


def sentence(contrast: Contrast, scale: Scale, *, is_one_of_several: bool = False) -> str:
    """Return what a contrast shows.

    For instance "Rotation pretraining helps for dif: +12.3 points [4.1, 20.5] (n=3, p=0.014,
    g=3.1)". Which sentence it is follows the corrected p-value; the interval is not corrected.

    Args:
        contrast: of an arm and the baseline.
        scale: of its metric.
        is_one_of_several: other sentences are about other treatments, so that each is named.
    """
    where = f" for {describe(contrast.setting)}" if contrast.setting else ""
    difference = contrast.difference
    if difference is None:
        names = {"arm": describe(contrast.treatment), "baseline": describe(contrast.baseline)}
        missing = " or of ".join(names[side] for side in contrast.without)
        return f"Nothing to compare yet{where}: no whole seed of {missing}"
    size = f"{scale.show_signed(difference.difference)}{scale.difference_unit}"
    is_plain = contrast.baseline in UNTRAINED and not is_one_of_several
    subject = "" if is_plain else f", {describe(contrast.treatment)}"
    if difference.low is None or difference.high is None:
        if 1 in difference.n:
            return f"Too few seeds to tell{subject}{where}: {size} ({_seeds(difference)})"
        return f"No spread between seeds to judge by{subject}{where}: {size} ({_seeds(difference)})"
    interval = f"[{scale.show(difference.low)}, {scale.show(difference.high)}]"
    found = f"{size} {interval} ({_seeds(difference)}{_tested(difference)})"
    if contrast.elsewhere is not None and contrast.elsewhere.low is not None:
        other = (scale.show(contrast.elsewhere.low), scale.show(contrast.elsewhere.high))
        found += f"; for other test videos [{other[0]}, {other[1]}]"
    if difference.p is None:
        return f"Too few seeds to test{subject}{where}: {found}"
    if is_shown(difference):
        return f"{_verdict(contrast, difference, scale)}{where}: {found}"
    if difference.p <= 1 - CONFIDENCE:
        return f"No difference shown once all are judged together{subject}{where}: {found}"
    return f"No difference shown{subject}{where}: {found}"


def is_shown(difference: Difference) -> bool:
    """Say whether the test finds a difference, after the correction for those beside it."""
    p = difference.p if difference.adjusted_p is None else difference.adjusted_p
    return p is not None and p <= 1 - CONFIDENCE


def show_p(p: float) -> str:
    """Return a p-value: "p=0.012", "p<0.001"."""
    return "p<0.001" if p < 0.0005 else f"p={p:.3f}"


def describe(setting: Mapping[str, Any]) -> str:
    """Return axis values for people: {"modality": "dif", "clip.frames": 16} as "dif, frames 16"."""
    return ", ".join(
        show_value(value) if axis in _BARE else f"{axis.rpartition('.')[2]} {show_value(value)}"
        for axis, value in setting.items()
    )


def show_value(value: object) -> str:
    """Return an axis value for people: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _verdict(contrast: Contrast, difference: Difference, scale: Scale) -> str:
    higher = difference.difference > 0
    good = None if scale.better is None else higher == (scale.better == "higher")
    treatment = describe(contrast.treatment)
    if contrast.baseline in UNTRAINED:
        effects = {None: "gives more" if higher else "gives less", True: "helps", False: "hurts"}
        subject = _SUBJECTS.get(treatment, f"{treatment} pretraining")
        return f"{subject[0].upper()}{subject[1:]} {effects[good]}"
    effects = {
        None: "gives more than" if higher else "gives less than",
        True: "is better than",
        False: "is worse than",
    }
    return f"{treatment.capitalize()} {effects[good]} {describe(contrast.baseline)}"


def _seeds(difference: Difference) -> str:
    first, second = difference.n
    units = {"paired": " pairs", "resampled": " splits"}
    if difference.how in units:
        return f"n={first}{units[difference.how]}"
    return f"n={first}" if first == second else f"n={first} and {second}"


def _tested(difference: Difference) -> str:
    """What stands behind n: the p-value by which the sentence was chosen, and the effect size."""
    p = difference.p if difference.adjusted_p is None else difference.adjusted_p
    if p is None:
        return ""
    return f", {show_p(p)}" + ("" if difference.effect is None else f", g={difference.effect:.1f}")
