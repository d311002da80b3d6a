"""How far a stage is, as its events tell: its state, its attempts and what they took."""

from dataclasses import dataclass, field
from typing import Literal

State = Literal["RUNNING", "FINISHED", "REUSED", "FAILED", "KILLED", "CANCELLED", "PRUNED"]
_HOUR_MS = 3_600_000


@dataclass(slots=True)
class Progress:
    """What is known of a stage so far.

    Args:
        state: of its last attempt.
        start_ms: when it was first heard of.
        end_ms: when it ended last.
        step: the last that it reported.
        error: why it failed, if it did.
        seconds: that its last attempt that ended well took; None before.
        origin: where its result comes from: name -> text.
        attempts: of those at work, when each began, and its cores and GPUs.
        hours: unit -> what all attempts took.
        metrics: its result.
        pruned: by what it is stopped; empty where it went on after all, None where it never was.
    """

    state: State = "RUNNING"
    start_ms: int = 0
    end_ms: int = 0
    step: int = 0
    error: str = ""
    seconds: float | None = None
    origin: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    hours: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    pruned: str | None = None

    def pay(self, attempt: str | None, time_ms: int) -> None:
        """Add up what an attempt took that ends now; without one, what all took that had begun."""
        for name in [attempt] if attempt is not None else list(self.attempts):
            since_ms, cpus, gpus = self.attempts.pop(name, (time_ms, 0.0, 0.0))
            for unit, amount in (("cpu_hours", cpus), ("gpu_hours", gpus)):
                if amount:
                    hours = amount * max(0, time_ms - since_ms) / _HOUR_MS
                    self.hours[unit] = self.hours.get(unit, 0.0) + hours
