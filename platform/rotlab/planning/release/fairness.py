"""How much of a cluster each of several studies may take. Arithmetic only; no clock, no files.

Uses are fractions of the cluster: of its cores or of its devices, whichever a study takes more of.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

_NEAR = 1e-6


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run takes of a cluster, and whether it would take more.

    Args:
        study: whose run it is; several runs of one have one weight together.
        weight: of the study among those that share the cluster.
        use: the fraction that its stages at work take.
        stage: the fraction that its next stage takes; 0 where it waits for none.
    """

    study: str
    weight: float
    use: float
    stage: float


def shares(wishes: Collection[Wish]) -> list[float]:
    """Return the fraction that is due to each run by its study's weight, and one stage at least.

    >>> shares([Wish("a", 2.0, 0.0, 0.25), Wish("b", 1.0, 0.0, 0.25), Wish("c", 0.1, 0.0, 0.25)])
    [0.5, 0.25, 0.25]
    """
    runs = [sum(other.study == one.study for other in wishes) for one in wishes]
    parts = [one.weight / number for one, number in zip(wishes, runs, strict=True)]
    by_weight = [part / sum(parts) for part in parts]
    least = [
        one.stage if share < one.stage else 0.0
        for one, share in zip(wishes, by_weight, strict=True)
    ]
    above = sum(share for share, one in zip(by_weight, least, strict=True) if not one)
    left = 1.0 - sum(least)
    if left < 0 or not above:
        return by_weight
    return [one or left * share / above for share, one in zip(by_weight, least, strict=True)]


def missing(wish: Wish, share: float) -> float:
    """Return the fraction that a run lacks, in whole stages; one stage is due to every run.

    >>> missing(Wish("a", 1.0, use=0.25, stage=0.125), 0.5)
    0.25
    >>> missing(Wish("a", 1.0, use=0.25, stage=0.5), 0.5), missing(Wish("a", 1.0, 0.0, 0.5), 0.4)
    (0.0, 0.5)
    """
    if wish.stage <= 0:
        return 0.0
    whole = math.floor((share - wish.use) / wish.stage + _NEAR)
    return wish.stage * max(whole, int(wish.use <= _NEAR))


def limit(own: Wish, others: Collection[Wish], heard: Collection[Wish]) -> float | None:
    """Return the most that a run may take; None where nobody lacks what is due to it.

    A run above its share gives way by as much as the others lack, not below its share, and takes
    nothing more until they have it; runs that are all above theirs give way in proportion. One that
    is not above its share takes no more than that: what is left for others is not its to take.

    Args:
        own: the run's.
        others: of all other runs.
        heard: those of them that are to be given way to.
    """
    every = (own, *others)
    due = shares(every)
    over = [max(0.0, one.use - share) for one, share in zip(every, due, strict=True)]
    lacking = sum(
        missing(one, share)
        for one, share in zip(every, due, strict=True)
        if any(one is other for other in heard)
    )
    if lacking <= _NEAR:
        return None
    if over[0] <= _NEAR:
        return max(due[0], own.stage)
    free = max(0.0, 1.0 - sum(one.use for one in every))
    part = over[0] / sum(over)
    return max(due[0], own.use - part * max(0.0, lacking - free))
