"""How many stages a cluster holds at once. Arithmetic only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rotlab.planning.stage import Resources


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a cluster has.

    Args:
        cpus: cores.
        gpus: devices.
        nodes: cores and devices of each machine; empty where it is one machine.
        pending: how many stages that ask for the same may wait beyond those that fit; None takes
            what refills it.
        models: Ray's names of its devices, each once; "" of those that have none.
    """

    cpus: float
    gpus: float
    nodes: tuple[tuple[float, float], ...] = ()
    pending: int | None = None
    models: tuple[str, ...] = ()

    @property
    def margin(self) -> int:
        """How many stages that ask for the same may wait: enough to refill what ends together.

        Tune starts waiting stages in the order they came: each may hold up a more urgent one. But a
        cluster grows only for stages that wait, so there many have to.
        """
        return 1 + int(self.cpus) // 8 if self.pending is None else self.pending

    def could_hold(self, wanted: Resources) -> bool:
        """Say whether its machines, empty, would hold a stage, each of its processes on one."""
        each, gpus = wanted.each, wanted.each.gpus or 0.0
        rooms = (
            min(cores // each.cpus, devices // gpus) if gpus else cores // each.cpus
            for cores, devices in self.nodes or ((self.cpus, self.gpus),)
        )
        return sum(rooms) >= wanted.processes

    def resolve(self, resources: Resources) -> Resources:
        """Return the request with its GPUs as a number: where none is stated, one if any."""
        return resources.resolved(has_gpu=bool(self.gpus))

    def admits(self, held: Sequence[Resources], wanted: Resources) -> bool:
        """Say whether one more stage may be released.

        A worker that comes free serves stages that ask for what it has; another has to be started
        for those that do not. So some of each sort wait, whatever waits of the others.

        Args:
            held: what released stages ask for, those at work first, all resolved.
            wanted: what the next one asks for, resolved.
        """
        *before, last = self.room((*held, wanted))
        waiting = [one for one, has_room in zip(held, before, strict=True) if not has_room]
        return not held or last or waiting.count(wanted) < self.margin

    def part(self, requests: Iterable[Resources]) -> float:
        """Return the fraction that requests take of its cores or devices, whichever is more."""
        every = list(requests)
        cpus, gpus = sum(one.cpus for one in every), sum(one.gpus or 0.0 for one in every)
        return max(
            cpus / self.cpus if self.cpus else 0.0,
            gpus / self.gpus if self.gpus else 0.0,
        )

    def room(self, requests: Iterable[Resources]) -> list[bool]:
        """Say of each whether it fits beside those of the ones before it that do."""
        cpus, gpus, found = self.cpus, self.gpus, []
        for request in requests:
            needed = request.gpus or 0.0
            fits = request.cpus <= cpus + 1e-9 and needed <= gpus + 1e-9
            if fits:
                cpus, gpus = cpus - request.cpus, gpus - needed
            found.append(fits)
        return found
