"""Which stages may pass one that waits for more room than they need. No clock, no Ray.

Small stages find room wherever something ends, a large one only where enough has ended: with small
ones always at hand it would wait for the last of them, however urgent it is.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rotlab.planning.stage import Resources

PATIENCE_S = 10.0  # so long any stage may pass
_MORE_URGENT = 1.25  # times as long is the chain behind a stage that is not passed after that


class Claim(NamedTuple):
    """What a stage asks for, resolved, and the longest chain of stages to do from it on."""

    resources: Resources
    chain: float


def may_start(
    claim: Claim,
    passed: Iterable[Claim],
    running: Sequence[Resources],
    cpus: float,
    gpus: float,
) -> bool:
    """Say whether a stage may start though others have waited for longer than the patience.

    It may not where it takes of that which a much more urgent one lacks, unless something at work
    will leave room for all of that one.

    Args:
        claim: the stage's.
        passed: those of the stages that wait.
        running: what stages at work have.
        cpus: cores of the machine.
        gpus: its devices.
    """
    return not any(
        one.chain > _MORE_URGENT * claim.chain
        and not any(_holds(other, one.resources) for other in running)
        and _takes_of(claim.resources, one.resources, running, cpus, gpus)
        for one in passed
    )


def _holds(room: Resources, wanted: Resources) -> bool:
    return room.cpus >= wanted.cpus and (room.gpus or 0.0) >= (wanted.gpus or 0.0)


def _takes_of(
    one: Resources, wanted: Resources, running: Sequence[Resources], cpus: float, gpus: float
) -> bool:
    """Whether one takes of what is not left for the other."""
    free_cpus = cpus - sum(each.cpus for each in running)
    free_gpus = gpus - sum(each.gpus or 0.0 for each in running)
    return (one.cpus > 0 and wanted.cpus > free_cpus + 1e-9) or (
        (one.gpus or 0.0) > 0 and (wanted.gpus or 0.0) > free_gpus + 1e-9
    )
