"""Tests that are judged together: Holm's correction for their number."""

from collections.abc import Sequence
from dataclasses import replace

from statsmodels.stats.multitest import multipletests

from rotlab.reporting.statistics import Difference


def adjust(family: Sequence[Difference | None]) -> list[Difference | None]:
    """Return differences with their `adjusted_p`, by Holm's step-down over those that were tested.

    The chance that any of a family is called different though none is, is 5 % at most, however
    their tests hang together, as they do where all have one baseline.
    """
    tested = [one.p for one in family if one is not None and one.p is not None]
    adjusted = iter(multipletests(tested, method="holm")[1].tolist() if tested else ())
    return [
        one if one is None or one.p is None else replace(one, adjusted_p=next(adjusted))
        for one in family
    ]
