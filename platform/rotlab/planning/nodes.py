"""The nodes of a simulated cluster: what is free on each, and where a stage fits. No time."""

from rotlab.planning.stage import Resources

_TINY = 1e-9  # shares of a device do not add up exactly
Free = tuple[float, float]  # GPUs and cores


class Nodes:
    """Nodes by what they have free, so that thousands are searched at once.

    Args:
        sizes: GPUs and cores of each node, counted from 0.
    """

    def __init__(self, sizes: list[Free]) -> None:
        self._sizes = sizes
        self._free: dict[int, Free] = {}
        self._by_free: dict[Free, dict[int, None]] = {}

    def come(self, node: int) -> None:
        """Take note that a node is there, with nothing on it."""
        self._set(node, self._sizes[node])

    def go(self, node: int) -> None:
        """Take note that a node is gone, with all that was on it."""
        self._set(node, None)

    def can_ever_hold(self, wanted: Resources) -> bool:
        """Say whether some node, empty, could hold a stage."""
        return any(_fits(size, wanted) for size in set(self._sizes))

    def fits(self, wanted: Resources) -> bool:
        """Say whether a stage would find a place now."""
        return any(_fits(free, wanted) for free in self._by_free)

    def place(self, wanted: Resources) -> int | None:
        """Put a stage on the node where it leaves the least free; None where it fits nowhere."""
        found = [free for free in self._by_free if _fits(free, wanted)]
        if not found:
            return None
        node = next(iter(self._by_free[min(found)]))
        self._take(node, wanted, 1)
        return node

    def leave(self, node: int, wanted: Resources) -> None:
        """Free what a stage occupied on a node that is there."""
        self._take(node, wanted, -1)

    def _take(self, node: int, wanted: Resources, sign: int) -> None:
        gpus, cpus = self._free[node]
        gpus = round(gpus - sign * (wanted.gpus or 0.0), 9)
        self._set(node, (gpus, round(cpus - sign * wanted.cpus, 9)))

    def _set(self, node: int, free: Free | None) -> None:
        before = self._free.pop(node, None)
        if before is not None:
            alike = self._by_free[before]
            del alike[node]
            if not alike:
                del self._by_free[before]
        if free is not None:
            self._free[node] = free
            self._by_free.setdefault(free, {})[node] = None


def _fits(free: Free, wanted: Resources) -> bool:
    return (wanted.gpus or 0.0) <= free[0] + _TINY and wanted.cpus <= free[1] + _TINY
