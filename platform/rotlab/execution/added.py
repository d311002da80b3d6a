"""Stages that searches and looks have added to a study since its plan was saved: as journals tell.

A run saves the plan that has grown at its end; until then, and where it was killed, this is it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rotlab.execution.store import Store
from rotlab.execution.study import SavedStudy
from rotlab.planning.plan import Plan
from rotlab.planning.serial import grown_stages
from rotlab.planning.stage import StageKind
from rotlab.tracking.journal import Journal


def added(store: Store, study: SavedStudy) -> dict[str, str]:
    """Return key -> kind of the stages that were added to a revision, by whichever driver."""
    return {one["key"]: one["kind"] for event in growths(store, study) for one in event["stages"]}


def load_grown(store: Store, study: SavedStudy, kinds: Mapping[str, StageKind]) -> Plan:
    """Return the plan of a revision, with the stages that were added to it."""
    plan = study.load_plan(kinds)
    configs = {name: kind.config for name, kind in kinds.items()}
    stages = dict(plan.stages)
    for event in growths(store, study):
        stages |= grown_stages(event, configs, stages.keys())
    return replace(plan, stages=stages)


def growths(store: Store, study: SavedStudy) -> Iterator[Mapping[str, Any]]:
    """Yield the events that tell of growth since the revision was first run."""
    for journal in store.journals(study.name):
        found: list[Mapping[str, Any]] = []
        for event in Journal(journal).read():
            if event["event"] == "study_started" and event.get("revision") != study.revision:
                found = []
            elif event["event"] == "study_grew":
                found.append(event)
        yield from found
