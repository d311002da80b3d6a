"""Tests that are judged together: Holm's correction for their number."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rotlab.reporting.statistics import Difference


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values after Holm's step-down: of 0.01, 0.04 and 0.03 they are 0.03, 0.06 and 0.06.

    As statsmodels' `multipletests` has it, which takes a second to import, and a garbage collection
    of the whole process at every call.
    """
    order = np.argsort(p)
    steps = np.maximum.accumulate(np.asarray(p)[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(steps, 1.0)
    return corrected.tolist()


def adjust(family: Sequence[Difference | None]) -> list[Difference | None]:
    """Return differences with their `adjusted_p`, by Holm over those that were tested.

    The chance that any of a family is called different though none is, is 5 % at most, however
    their tests hang together, as they do where all have one baseline.
    """
    tested = [one.p for one in family if one is not None and one.p is not None]
    corrected = iter(holm(tested))
    return [
        one if one is None or one.p is None else replace(one, adjusted_p=next(corrected))
        for one in family
    ]
