"""Stages that came to a plan after its workers had been told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rotlab.execution.stage.perform import Work
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial import stage_from_json, stage_to_json
from rotlab.planning.stage import Stage


@dataclass(frozen=True, slots=True)
class Grown:
    """A stage, all that stand behind it, and the shorter trainings they may go on from.

    Args:
        stages: by key; others that go on from those shorter ones are among them, so that their
            state is not swept before all have it.
        continues: longer training -> shorter one.
        to_go_on: those of them from whose end stages that are still to come may go on.
    """

    stages: Mapping[str, Stage]
    continues: Mapping[str, str]
    to_go_on: frozenset[str] = frozenset()

    def json(self) -> dict[str, Any]:
        """Return it as plain values."""
        stages = [stage_to_json(stage) for stage in self.stages.values()]
        return {
            "stages": stages,
            "continues": dict(self.continues),
            "to_go_on": sorted(self.to_go_on),
        }


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
    for trunk in dict.fromkeys(continues.values()):
        for other in plan.followers(trunk):
            found.setdefault(other, plan.stages[other])
            continues[other] = trunk
    return Grown(found, continues, plan.to_go_on & found.keys())


def with_grown(work: Work, grown: Mapping[str, Any] | None) -> Work:
    """Return what a worker knows, with the stages that `Grown.json` gave."""
    if not grown:
        return work
    stages = [stage_from_json(one, work.kinds) for one in grown["stages"]]
    return replace(
        work,
        stages={**work.stages, **{stage.key: stage for stage in stages}},
        continues={**work.continues, **grown["continues"]},
        to_go_on=work.to_go_on | {*grown["to_go_on"]},
    )
