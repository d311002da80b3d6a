"""Which stage of those that are ready starts next. No Ray."""

from collections.abc import Callable, Sequence
from functools import partial

from rotlab.execution.conduct.attempts import Attempts
from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.elsewhere import Elsewhere
from rotlab.planning.release.passing import PATIENCE_S, Claim, may_start
from rotlab.planning.release.release import Release
from rotlab.planning.stage import Resources


def choose(
    release: Release,
    attempts: Attempts,
    elsewhere: Elsewhere,
    wanted: Callable[[str], Resources],
    held: Sequence[Resources],
    capacity: Capacity,
    now: float,
) -> str | None:
    """Return the most urgent ready stage that there is room for, or that may wait for room.

    Of each kind that is the first which no other driver is known to work at just now. One that
    needs more room than is ever left is passed by less urgent ones for a while only.

    Args:
        release: knows what is ready, and how urgent it is.
        attempts: at work, or waiting.
        elsewhere: what other drivers are known to work at.
        wanted: key -> what the stage asks for, resolved.
        held: what the attempts have or wait for, those at work first.
        capacity: of the cluster.
        now: seconds since the epoch.
    """

    def claim(key: str) -> Claim:
        return Claim(wanted(key), release.chain(key))

    is_due = partial(elsewhere.is_due, now=now) if elsewhere else None
    passed: list[Claim] = []
    if len(capacity.nodes) <= 1:  # of several nobody knows which will have room first
        waiting = (claim(key) for key in attempts.in_want(now - PATIENCE_S))
        passed = [one for one in waiting if capacity.could_hold(one.resources)]
    running = attempts.running() if passed else ()
    for key in release.heads(is_due):
        own = claim(key)
        if capacity.admits(held, own.resources) and may_start(
            own, passed, running, capacity.cpus, capacity.gpus
        ):
            return key
    return None
