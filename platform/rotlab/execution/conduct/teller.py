"""What a listener is told of a run's stages, and what that comes to in use. No Ray."""

from collections.abc import Callable, Iterable, Mapping

from rotlab.execution.conduct.budget import Rates, Spending, Usage
from rotlab.execution.conduct.failures import Failure
from rotlab.execution.conduct.listener import Listener
from rotlab.execution.conduct.message import Message
from rotlab.planning.plan.decisions import Pruned
from rotlab.planning.stage import Resources


class Teller:
    """Tells a listener of stages, and adds up what their attempts used.

    Args:
        listener: hears of every event.
        clock: seconds since the epoch.
        rates: what an hour costs.
        used: what the study has used before.
    """

    def __init__(
        self, listener: Listener, clock: Callable[[], float], rates: Rates, used: Usage | None
    ) -> None:
        self._listener = listener
        self._clock = clock
        self._spending = Spending(rates, used)
        self._spending.take({"event": "study_started", "time": clock()})

    def used(self) -> Usage:
        """Return what the study has used until now."""
        return self._spending.used(self._clock())

    def tell(self, event: str, key: str, **values: object) -> None:
        """Tell of a stage that it began, was held or ended."""
        told = {"event": event, "time": self._clock(), "key": key, **values}
        self._spending.take(told)
        self._listener.record(told)

    def tell_points(self, key: str, attempt: str, message: Message) -> None:
        """Tell what an attempt reported on its way, of itself and of the machine."""
        for event, points in (("stage_metrics", message.points), ("stage_gauges", message.gauges)):
            for point in points:
                self._listener.record(
                    {
                        "event": event,
                        "time": point.time,
                        "key": key,
                        "attempt": attempt,
                        "step": point.step,
                        "metrics": dict(point.metrics),
                    }
                )

    def tell_started(self, key: str, attempt: str, resources: Resources) -> None:
        """Tell that a worker took an attempt."""
        gpus = resources.gpus or 0.0
        self.tell("stage_started", key, attempt=attempt, cpus=resources.cpus, gpus=gpus)

    def tell_done(self, key: str, attempt: str, message: Message) -> None:
        """Tell that a stage has a result, by its worker's last message."""
        self.tell(
            "stage_ended",
            key,
            attempt=attempt,
            state=message.state,
            metrics=dict(message.metrics),
            seconds=message.seconds,
            error=None,
            **message.origin,
        )

    def tell_failed(self, key: str, attempt: str, failure: Failure) -> None:
        """Tell that a stage was given up."""
        self.tell(
            "stage_ended",
            key,
            attempt=attempt,
            state="FAILED",
            error=failure.reason,
            cause=failure.cause,
        )

    def tell_cancelled(self, keys: Iterable[str], missing: Mapping[str, str]) -> None:
        """Tell of stages that can never start.

        Args:
            keys: of those.
            missing: key -> why.
        """
        for key in keys:
            self.tell("stage_ended", key, attempt=None, state="CANCELLED", error=missing[key])

    def tell_pruned(self, stopped: Iterable[Pruned]) -> None:
        """Tell of decisions that stages stop before their end."""
        for one in stopped:
            self.tell(
                "stage_pruned",
                one.key,
                because=one.because,
                epoch=one.epoch,
                step=one.step,
                value=one.value,
            )
