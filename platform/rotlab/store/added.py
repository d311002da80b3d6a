"""What searches and looks have added to a study since its plan was saved: as journals tell.

A run saves the plan that has grown at its end; until then, and where it was killed, this is it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from rotlab.planning.key import canonical
from rotlab.planning.lengths import continuations
from rotlab.planning.plan.decisions import Awaited, Proposed
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial import grown_cells, grown_looks, grown_proposals, grown_stages
from rotlab.planning.stage import Cell, StageKind
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy
from rotlab.tracking.journal import Journal


def added(store: Store, study: SavedStudy) -> dict[str, str]:
    """Return key -> kind of the stages that were added to a revision, by whichever driver."""
    return {one["key"]: one["kind"] for event in growths(store, study) for one in event["stages"]}


def ever_added(store: Store, name: str) -> dict[str, str]:
    """Return key -> kind of the stages that were added to a study, in whichever revision."""
    events = (event for path in store.journals(name) for event in Journal(path).read())
    grew = (event for event in events if event["event"] == "study_grew")
    return {one["key"]: one["kind"] for event in grew for one in event["stages"]}


def load_grown(store: Store, study: SavedStudy, kinds: Mapping[str, StageKind]) -> Plan:
    """Return the plan of a revision, with all that was added to it."""
    plan = study.load_plan(kinds)
    configs = {name: kind.config for name, kind in kinds.items()}
    for event in growths(store, study):
        plan = _with(plan, event, configs)
    return replace(plan, continues=continuations(plan.stages, kinds))


def max_told(store: Store, name: str) -> int:
    """Return the highest revision by which a study was run, as its journal tells; 0: never."""
    started = (e for e in Journal(store.journal_path(name)).read() if e["event"] == "study_started")
    return max((event.get("revision", 1) for event in started), default=0)


def _with(plan: Plan, event: Mapping[str, Any], configs: Mapping[str, type[BaseModel]]) -> Plan:
    """The plan with what one event tells, but for what needs stages of kinds unknown here."""
    stages = {**plan.stages, **grown_stages(event, configs, plan.stages.keys())}
    rows = {_identity(row): row for row in plan.rows()}  # a cell stands where it was awaited
    rows |= {
        _identity(cell): cell for cell in grown_cells(event) if stages.keys() >= {*cell.stages}
    }
    whole = replace(plan, stages=stages)
    known = {(one.proposal.tuning, one.proposal.number) for one in plan.proposed}
    proposed = [
        Proposed(one, results, tuple(key for key in stages if key in whole.inputs_of(results)))
        for one, results in grown_proposals(event)
        if (one.tuning, one.number) not in known and stages.keys() >= {*results}
    ]
    looks = dict(plan.looks)
    for look in grown_looks(event):
        taken = looks.get(look.family, ())
        if look.number == len(taken) + 1:
            looks[look.family] = (*taken, look)
    return replace(
        whole,
        cells=tuple(row for row in rows.values() if isinstance(row, Cell)),
        awaited=tuple(
            replace(row, place=place)
            for place, row in enumerate(rows.values())
            if isinstance(row, Awaited)
        ),
        proposed=(*plan.proposed, *proposed),
        looks=looks,
    )


def _identity(row: Cell | Awaited) -> tuple[str, str, str, str]:
    return canonical(row.arm), row.target, canonical(row.replicate), row.measure


def growths(store: Store, study: SavedStudy) -> Iterator[Mapping[str, Any]]:
    """Yield the events that tell of growth in runs of the revision, since it was first run.

    What a run of another one added is none of it: a search that makes more or fewer proposals may
    have another winner, and cells of their own.
    """
    for journal in store.journals(study.name):
        found: list[Mapping[str, Any]] = []
        is_of_it = False
        for event in Journal(journal).read():
            if event["event"] == "study_started":
                is_of_it = event.get("revision", 1) == study.revision
                found = found if is_of_it else []
            elif event["event"] == "study_grew" and is_of_it:
                found.append(event)
        yield from found
