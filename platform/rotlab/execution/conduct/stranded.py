"""Requests that no node of a cluster could hold, and since when: a node may never come. No Ray."""

from collections import Counter
from collections.abc import Iterable

from rotlab.execution.conduct.capacity import Capacity
from rotlab.planning.stage import Resources

PATIENCE_S = 600.0  # in which a node that is asked for has come, if one can


class Stranded:
    """Watches what stages wait for.

    Args:
        patience_s: seconds after which it is told.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._since: dict[Resources, float] = {}

    def look(self, waiting: Iterable[Resources], capacity: Capacity, now: float) -> str:
        """Return what has been waited for too long, in words; empty where nothing has.

        Args:
            waiting: what stages ask for that have no worker.
            capacity: of the cluster now.
            now: in seconds.
        """
        asked = Counter(one for one in waiting if not capacity.could_hold(one))
        self._since = {one: self._since.get(one, now) for one in asked}
        late = [one for one, since in self._since.items() if now - since >= self._patience_s]
        if not late:
            return ""
        minutes = (now - min(self._since[one] for one in late)) / 60
        sorts = "; ".join(f"{asked[one]} for {_words(one)}" for one in late)
        return (
            f"stages wait for nodes that the cluster has not had for {minutes:.0f} minutes "
            f"({sorts}); if it cannot grow by them, end this run and ask for less under resources"
        )


def _words(wanted: Resources) -> str:
    """What one process of a stage takes, and how many there are."""
    each = wanted.each
    gpus = f", {each.gpus:g} GPU" if each.gpus else ""
    model = f" of model {wanted.model}" if wanted.model else ""
    times = f"{wanted.processes} times " if wanted.processes > 1 else ""
    return f"{times}{each.cpus:g} CPU{gpus}{model}"
