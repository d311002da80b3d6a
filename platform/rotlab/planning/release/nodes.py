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
        """Say whether the nodes, empty, could hold a stage; each of its processes lies on one."""
        each, left = wanted.each, wanted.processes
        return any(_fits(size, each) for size in set(self._sizes)) and (
            left == 1 or sum(_room(size, each, left) for size in self._sizes) >= left
        )

    def fits(self, wanted: Resources) -> bool:
        """Say whether a stage would find a place now."""
        if wanted.processes == 1:
            return any(_fits(free, wanted) for free in self._by_free)
        return self._places(wanted) is not None

    def place(self, wanted: Resources) -> tuple[int, ...] | None:
        """Put a stage where it leaves the least free; None where it fits nowhere.

        Several processes go together where one node has room for them, else on as few as can be.

        Returns:
            The node of each of its processes.
        """
        places = self._places(wanted)
        for node in places or ():
            self._take(node, wanted.each, 1)
        return places

    def leave(self, places: tuple[int, ...], wanted: Resources) -> None:
        """Free what a stage occupied on nodes that are there."""
        for node in places:
            self._take(node, wanted.each, -1)

    def _places(self, wanted: Resources) -> tuple[int, ...] | None:
        whole = [free for free in self._by_free if _fits(free, wanted)]
        if whole:
            return (next(iter(self._by_free[min(whole)])),) * wanted.processes
        if wanted.processes == 1:
            return None
        each = wanted.each
        found: list[int] = []
        rooms = {free: _room(free, each, wanted.processes) for free in self._by_free}
        for free in sorted(rooms, key=lambda one: (-rooms[one], one)):
            for node in self._by_free[free]:
                found += [node] * min(rooms[free], wanted.processes - len(found))
                if len(found) == wanted.processes:
                    return tuple(found)
        return None

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


def _room(free: Free, each: Resources, most: int) -> int:
    """How many processes fit, up to so many."""
    count = int((free[1] + _TINY) // each.cpus)
    if each.gpus:
        count = min(count, int((free[0] + _TINY) // each.gpus))
    return min(count, most)


def _fits(free: Free, wanted: Resources) -> bool:
    return (wanted.gpus or 0.0) <= free[0] + _TINY and wanted.cpus <= free[1] + _TINY
