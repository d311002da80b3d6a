"""Stages that came to a plan after its workers had been told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rotlab.execution.perform import Work
from rotlab.planning.plan import Plan
from rotlab.planning.serial import stage_from_json, stage_to_json
from rotlab.planning.stage import Stage


@dataclass(frozen=True, slots=True)
class Grown:
    """A stage, all that stand behind it, and the shorter trainings they may go on from.

    Args:
        stages: by key.
        continues: longer training -> shorter one.
    """

    stages: Mapping[str, Stage]
    continues: Mapping[str, str]

    def json(self) -> dict[str, Any]:
        """Return it as plain values."""
        stages = [stage_to_json(stage) for stage in self.stages.values()]
        return {"stages": stages, "continues": dict(self.continues)}


def behind(plan: Plan, key: str) -> Grown:
    """Return a stage of a plan with all that a worker has to know to do it."""
    found: dict[str, Stage] = {}
    continues: dict[str, str] = {}
    left = [key]
    while left:
        one = left.pop()
        if one in found:
            continue
        found[one] = plan.stages[one]
        left += found[one].inputs.values()
        if one in plan.continues:
            continues[one] = plan.continues[one]
            left.append(continues[one])
    return Grown(found, continues)


def with_grown(work: Work, grown: Mapping[str, Any] | None) -> Work:
    """Return what a worker knows, with the stages that `Grown.json` gave."""
    if not grown:
        return work
    stages = [stage_from_json(one, work.kinds) for one in grown["stages"]]
    return replace(
        work,
        stages={**work.stages, **{stage.key: stage for stage in stages}},
        continues={**work.continues, **grown["continues"]},
    )
