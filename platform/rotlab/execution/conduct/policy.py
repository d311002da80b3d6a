"""The rules of a run, as its user sets them. Values only."""

from dataclasses import dataclass, field

from rotlab.execution.conduct.budget import Rates
from rotlab.planning.space.budget import Budget
from rotlab.store.lease import STALE_S


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run may use, and what it makes of errors.

    Args:
        budget: of the study, this run and earlier ones together.
        rates: what hours cost.
        same_errors: the same error in so many stages ends the run; 0 never does.
        concurrency: stages at once, at most; None: as many as fit.
        stale_s: seconds after which another run's lease that is not kept up is taken over.
    """

    budget: Budget = field(default_factory=Budget)
    rates: Rates = field(default_factory=Rates)
    same_errors: int = 5
    concurrency: int | None = None
    stale_s: float = STALE_S
