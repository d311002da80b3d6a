"""Whether, and with what, a stage is tried again: the cause of its failure decides. No Ray."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.conduct.failures import Cause, Failure
from rotlab.planning.stage import Resources

# Deaths in a row, without a step gained, after which a stage is given up. A worker may have been
# unlucky, but a stage may also kill its worker; the loss of a machine says little of the stage.
MOST_DEATHS: dict[Cause, int] = {"worker": 3, "hung": 2, "stopped": 3, "node": 20}
ADVICE = {
    "gpu memory": "lower a batch_size, runtime.eval_batch or clip.size, take precision bf16, or "
    "use a GPU with more memory",
    "memory": "give the kind more cpus under resources, so that fewer stages share a machine, or "
    "lower runtime.workers or a batch_size",
}


@dataclass(slots=True)
class _Past:
    """What earlier attempts at a stage came to."""

    deaths: int = 0
    step: int = 0
    is_larger: bool = False


@dataclass(slots=True)
class Retries:
    """Remembers the failed attempts of a run.

    Args:
        capacity: of the cluster, whenever it is called: the most that an attempt can be given.
    """

    capacity: Callable[[], Capacity]
    _past: dict[str, _Past] = field(default_factory=dict)

    def next_request(
        self, key: str, failure: Failure, given: Resources, step: int
    ) -> Resources | None:
        """Return what the next attempt at a stage asks for; None where it is not tried again.

        Out of memory, it is tried once more with a larger share. A death is forgiven as often as
        `MOST_DEATHS` says, and what came before is forgotten once the stage gets further than it
        ever was. An error would come back.

        Args:
            key: of the stage.
            failure: how the last attempt ended.
            given: what it had been given.
            step: the last one that it reported.
        """
        past = self._past.setdefault(key, _Past())
        if step > past.step:
            past.step, past.deaths = step, 0
        if failure.cause in ADVICE:
            if past.is_larger:
                return None
            past.is_larger = True
            return self._larger(failure.cause, given)
        if failure.cause in MOST_DEATHS:
            past.deaths += 1
            return given if past.deaths < MOST_DEATHS[failure.cause] else None
        return None

    def given_up(self, failure: Failure) -> Failure:
        """Return a failure that is final, with the way out where there is one."""
        advice = ADVICE.get(failure.cause)
        return replace(failure, reason=f"{failure.reason}; {advice}") if advice else failure

    def _larger(self, cause: Cause, given: Resources) -> Resources | None:
        """Twice the share, up to all there is; a whole device has no larger share.

        Cores beyond those computed with keep other stages away, and their memory free; where
        several processes compute a stage, that holds for each of them. A stage that
        had the machine for itself is tried again as it is: others may have filled its memory.
        """
        if cause == "memory":
            capacity, count = self.capacity(), given.processes
            larger = (replace(given, cpus=n) for n in range(2 * given.cpus, given.cpus, -count))
            return next(filter(capacity.could_hold, larger), given)
        share = given.gpus or 0.0
        return replace(given, gpus=min(1.0, 2 * share)) if 0 < share < 1 else None
