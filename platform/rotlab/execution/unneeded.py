"""Stages that nobody waits for any more, since something was stopped: they are not released."""

from rotlab.execution.growth import Growth
from rotlab.planning.release import Release


def sort_out(release: Release, growth: Growth) -> None:
    """Take back what nobody waits for, and release what somebody waits for again.

    Stages at work go on: they end by themselves, or are stopped by a decision of their own.

    Args:
        release: of the plan's stages.
        growth: knows what is needed; where it has stopped nothing, nothing changes.
    """
    if not growth.num_pruned:
        return
    over = growth.over()
    for key in release.missing():
        if key in over and release.state(key) in ("waiting", "ready"):
            release.prune(key)
    for key in release.pruned():
        if key not in over:
            release.reopen(key)
