"""Stages that nobody waits for any more, since something was stopped: they are not released."""

from rotlab.execution.conduct.growth import Growth
from rotlab.planning.release.release import Release


def sort_out(release: Release, growth: Growth) -> tuple[str, ...]:
    """Take back what nobody waits for, and release what somebody waits for again.

    Return what somebody waits for again, and can never start by now.

    Stages at work go on: they end by themselves, or are stopped by a decision of their own.

    Args:
        release: of the plan's stages.
        growth: knows what is needed; where it has stopped nothing, nothing changes.
    """
    if not growth.num_pruned:
        return ()
    over = growth.over()
    for key in release.missing():
        if key in over and release.state(key) in ("waiting", "ready"):
            release.prune(key)
    wanted = [key for key in release.pruned() if key not in over]
    return tuple(key for key in wanted if not release.reopen(key))
