"""What one worker is to do next. Values only."""

from dataclasses import dataclass

from rotlab.execution.conduct.grown import Grown
from rotlab.planning.stage import Resources


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at a stage, to be started.

    Args:
        key: of the stage.
        attempt: its identity.
        resources: what it is given.
        stale: another attempt's lease, which is not kept up any more and to be taken over.
        grown: the stage and all that stand behind it, where the plan that workers were given at the
            start does not hold it.
        sign: file that asks the stage to stop as soon as it is there; None: nothing can.
        then: others, of the same resources, that the worker goes on with.
    """

    key: str
    attempt: str
    resources: Resources
    stale: str | None = None
    grown: Grown | None = None
    sign: str | None = None
    then: tuple["Assignment", ...] = ()
