"""What a study has used, by its own attempts, and what it may use. Arithmetic over events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

NEAR = 0.8  # of a limit: the moment to warn
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Hours:
    """What was used, or with None for what is not limited, what may be.

    Args:
        gpu_hours: devices, or shares of them, times hours that attempts held them.
        cpu_hours: cores, likewise.
        wall_hours: hours in which the study was being run.
    """

    gpu_hours: float | None = None
    cpu_hours: float | None = None
    wall_hours: float | None = None

    def share(self, used: "Hours") -> tuple[float, str]:
        """Return the largest share of a limit that is used, and that limit in words.

        >>> Hours(gpu_hours=10).share(Hours(8, 1, 2))
        (0.8, '8 of 10 GPU-hours')
        """
        words = {"gpu_hours": "GPU-hours", "cpu_hours": "CPU-hours", "wall_hours": "hours"}
        found = [(0.0, "")]
        for name in (field.name for field in fields(self)):
            limit, amount = getattr(self, name), getattr(used, name) or 0.0
            if limit is not None:
                found.append((amount / limit, f"{amount:.3g} of {limit:.3g} {words[name]}"))
        return max(found)


@dataclass(slots=True)
class _Attempt:
    since: float
    cpus: float
    gpus: float


class Spending:
    """Adds up a study's attempts, failed and lost ones too, from its events in their order.

    What the same study reuses was paid by another. An attempt whose end nobody told, because its
    driver was killed, ended with the last event before the next start.
    """

    def __init__(
        self, events: Iterable[Mapping[str, Any]] = (), before: Hours | None = None
    ) -> None:
        """Take events.

        Args:
            events: of one journal, oldest first.
            before: what was used besides.
        """
        self._before = before or Hours()
        self._gpu_s = self._cpu_s = self._wall_s = 0.0
        self._running: dict[str, _Attempt] = {}
        self._since: float | None = None
        self._last = 0.0
        for event in events:
            self.take(event)

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event."""
        match event["event"]:
            case "study_started":
                self._close(self._last)
                self._since = event["time"]
            case "study_ended":
                self._close(event["time"])
            case "stage_started":
                self._running[event["attempt"]] = _Attempt(
                    event["time"], event.get("cpus", 1.0), event.get("gpus", 0.0)
                )
            case "stage_ended":
                self._end(event.get("attempt"), event["time"])
        self._last = max(self._last, event["time"])

    def used(self, now: float) -> Hours:
        """Return what was used until now, by what runs too."""
        gpu_s, cpu_s, wall_s = self._gpu_s, self._cpu_s, self._wall_s
        for each in self._running.values():
            seconds = max(0.0, now - each.since)
            gpu_s, cpu_s = gpu_s + each.gpus * seconds, cpu_s + each.cpus * seconds
        if self._since is not None:
            wall_s += max(0.0, now - self._since)
        return Hours(
            (self._before.gpu_hours or 0.0) + gpu_s / _HOUR_S,
            (self._before.cpu_hours or 0.0) + cpu_s / _HOUR_S,
            (self._before.wall_hours or 0.0) + wall_s / _HOUR_S,
        )

    def used_in_all(self) -> Hours:
        """Return what was used until the last event."""
        return self.used(self._last)

    def _end(self, attempt: str | None, time: float) -> None:
        running = self._running.pop(attempt, None) if attempt else None
        if running is not None:
            seconds = max(0.0, time - running.since)
            self._gpu_s += running.gpus * seconds
            self._cpu_s += running.cpus * seconds

    def _close(self, time: float) -> None:
        for attempt in tuple(self._running):
            self._end(attempt, time)
        if self._since is not None:
            self._wall_s += max(0.0, time - self._since)
            self._since = None


def spent(journals: Iterable[Iterable[Mapping[str, Any]]]) -> Hours:
    """Return what a study has used, by the events of each of its journals."""
    total = Hours()
    for events in journals:
        total = Spending(events, total).used_in_all()
    return total
