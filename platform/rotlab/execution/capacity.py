"""How many stages a cluster holds at once. Arithmetic only."""

from collections.abc import Iterable
from dataclasses import dataclass

from rotlab.planning.stage import Resources


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a cluster has.

    Args:
        cpus: cores.
        gpus: devices.
        nodes: cores and devices of each machine; empty where it is one machine.
        pending: how many stages may wait beyond those that fit; None takes what refills it.
    """

    cpus: float
    gpus: float
    nodes: tuple[tuple[float, float], ...] = ()
    pending: int | None = None

    @property
    def margin(self) -> int:
        """How many stages may wait beyond those that fit: enough to refill what ends together.

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

    def admits(self, held: Iterable[Resources], wanted: Resources) -> bool:
        """Say whether one more stage may be released.

        Args:
            held: what released stages ask for, in the order of their release, all resolved.
            wanted: what the next one asks for, resolved.
        """
        held = tuple(held)
        return not held or self._num_waiting((*held, wanted)) <= self.margin

    def holds(self, requests: Iterable[Resources]) -> bool:
        """Say whether these fit all at once."""
        return self._num_waiting(requests) == 0

    def _num_waiting(self, requests: Iterable[Resources]) -> int:
        cpus, gpus, waiting = self.cpus, self.gpus, 0
        for request in requests:
            needed = request.gpus or 0.0
            if request.cpus <= cpus + 1e-9 and needed <= gpus + 1e-9:
                cpus, gpus = cpus - request.cpus, gpus - needed
            else:
                waiting += 1
        return waiting
