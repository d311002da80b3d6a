"""What a look makes of its differences: shown, hopeless, or still open.

By the tests of the study's answer, on values of held-out videos. Differences are one family: what
is shown leaves its share of the level to the others (Holm's procedure at every look; Maurer and
Bretz, Statistics in Biopharmaceutical Research 5, 2013). What is hopeless keeps its share, so the
error holds even where such an arm is gone on with all the same: futility is not binding.
"""

from collections.abc import Sequence
from dataclasses import replace

from rotlab.planning.space.looks import Family, Look, Verdict
from rotlab.reporting.chains import Chain, independent
from rotlab.reporting.contrasts import difference_of
from rotlab.reporting.sequential import boundaries, chance, levels
from rotlab.reporting.statistics import CONFIDENCE, spread_over

HOPELESS = 0.1  # a chance to be shown at the last look below which a difference is given up


def verdicts(
    family: Family,
    values: Sequence[Sequence[float]],
    stages: Sequence[Sequence[frozenset[str]]],
    taken: Sequence[Look],
) -> tuple[Verdict, ...]:
    """Return what the next look makes of each difference of a family.

    Args:
        family: that is looked at.
        values: of each arm, one for each seed that it has.
        stages: of each arm, for each of these the keys of the stages behind it.
        taken: the looks before this one, in order.
    """
    before = taken[-1].verdicts if taken else (Verdict("open"),) * len(family.pairs)
    found = [
        new if old.outcome == "open" else Verdict(old.outcome)
        for old, new in zip(before, _tested(family, values, stages), strict=True)
    ]
    shares = tuple(seeds / family.at[-1] for seeds in family.at)
    while True:
        shown = sum(one.outcome == "shown" for one in found)
        level = (1 - CONFIDENCE) / max(len(found) - shown, 1)
        now = levels(level, shares)[len(taken)]
        found = [_held(one, now) for one in found]
        if sum(one.outcome == "shown" for one in found) == shown:
            break
    return tuple(_left(one, shares[len(taken)], boundaries(level, shares)[-1]) for one in found)


def _tested(
    family: Family,
    values: Sequence[Sequence[float]],
    stages: Sequence[Sequence[frozenset[str]]],
) -> list[Verdict]:
    """All differences with their tests, as the study's answer would have them."""
    chains = [
        independent(
            [
                Chain(value, behind, frozenset({seed}))
                for seed, (value, behind) in enumerate(zip(own, parents, strict=True))
            ]
        )
        for own, parents in zip(values, stages, strict=True)
    ]
    spread = spread_over([[chain.value for chain in of_arm] for of_arm in chains])
    found = [difference_of(chains[a], chains[b], spread, (a, b)) for a, b in family.pairs]
    return [Verdict("open", one.difference, one.p) for one in found]


def _held(verdict: Verdict, level: float) -> Verdict:
    """Hold an open difference against the p-value that is to be reached."""
    if verdict.outcome != "open":
        return verdict
    is_shown = verdict.p is not None and verdict.p <= level
    return replace(verdict, outcome="shown" if is_shown else "open", level=level)


def _left(verdict: Verdict, share: float, limit: float) -> Verdict:
    """Settle what has no hope, or no look left."""
    if verdict.outcome != "open":
        return verdict
    if share == 1:
        return replace(verdict, outcome="not shown")
    if verdict.p is None:
        return verdict
    hope = chance(verdict.p, share, limit)
    return replace(verdict, outcome="hopeless" if hope < HOPELESS else "open", chance=hope)
