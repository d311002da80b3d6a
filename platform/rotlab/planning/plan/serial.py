"""Plans and stages as plain JSON values and back, so that a study can go on without its file."""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ValidationError

from rotlab.planning.lengths import continuations
from rotlab.planning.plan.arms import Excluded, Overridden
from rotlab.planning.plan.collapse import Collapsed
from rotlab.planning.plan.decisions import Proposal
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial_looks import (
    families_from_json,
    families_to_json,
    look_from_json,
    look_to_json,
)
from rotlab.planning.plan.serial_searches import (
    proposal_from_json,
    proposal_to_json,
    searches_from_json,
    searches_to_json,
)
from rotlab.planning.space.looks import Look
from rotlab.planning.space.names import unknown
from rotlab.planning.stage import Cell, DataRef, Stage, StageKind
from rotnet.errors import UserError

FORMAT = 1


def stage_to_json(stage: Stage) -> dict[str, Any]:
    """Return a stage as plain values."""
    return {
        "key": stage.key,
        "kind": stage.kind,
        "config": stage.config.model_dump(mode="json"),
        "inputs": dict(stage.inputs),
        "data": [asdict(ref) for ref in stage.data],
    }


def stage_from_json(values: Mapping[str, Any], kinds: Mapping[str, StageKind]) -> Stage:
    """Return the stage that `stage_to_json` wrote.

    Raises:
        UserError: its kind is not registered here, or no longer takes such settings.
    """
    kind = kinds.get(values["kind"])
    if kind is None:
        said = unknown("stage kind", values["kind"], list(kinds))
        raise UserError(f"stage {values['key']}: {said}; install what registers it")
    try:
        config = kind.config.model_validate_json(json.dumps(values["config"]))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(
            f"stage {values['key']} was planned by another version of rotlab "
            f"({kind.name} {where}: {first['msg']}); plan it again with `rotlab run FILE`"
        ) from error
    return _stage(values, config)


def grown_stages(
    event: Mapping[str, Any], configs: Mapping[str, type[BaseModel]], known: Collection[str]
) -> dict[str, Stage]:
    """Return the stages of an event that `grown` made, by key, of the kinds that are known.

    Args:
        event: that a plan has grown.
        configs: stage kind -> what its settings are.
        known: keys of stages that are left out.
    """
    return {
        one["key"]: _stage(one, configs[one["kind"]].model_validate_json(json.dumps(one["config"])))
        for one in event["stages"]
        if one["key"] not in known and one["kind"] in configs
    }


def grown_cells(event: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Return the cells of an event that `grown` made."""
    return tuple(map(_cell, event["cells"]))


def _stage(values: Mapping[str, Any], config: BaseModel) -> Stage:
    data = tuple(DataRef(**ref) for ref in values["data"])
    return Stage(values["key"], values["kind"], config, dict(values["inputs"]), data)


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values; they equal those read back from a JSON file.

    What came later, overrides and the baseline, stands there only in plans that have it.
    """
    beside: dict[str, Any] = {}
    if plan.overridden:
        beside["overridden"] = [
            {
                "settings": dict(one.settings),
                "because": one.because,
                "arms": list(map(dict, one.arms)),
            }
            for one in plan.overridden
        ]
    if plan.baseline:
        beside["baseline"] = dict(plan.baseline)
    if plan.tunings:
        beside |= searches_to_json(plan)
    if plan.families:
        beside |= families_to_json(plan)
    return {
        "format": FORMAT,
        "name": plan.name,
        "question": plan.question,
        "axes": list(plan.axes),
        "cells": [_cell_to_json(cell) for cell in plan.cells],
        "stages": [stage_to_json(stage) for stage in plan.stages.values()],
        "collapsed": [
            {
                "axes": list(one.axes),
                "where": {choice: list(values) for choice, values in one.where.items()},
                "combinations": one.combinations,
                "arms": one.arms,
            }
            for one in plan.collapsed
        ],
        "excluded": [{"arm": dict(one.arm), "because": one.because} for one in plan.excluded],
        "stages_unshared": dict(plan.stages_unshared),
        "absent": list(plan.absent),
        "unsupported": dict(plan.unsupported),
        "warnings": list(plan.warnings),
        **beside,
    }


def grown_proposals(event: Mapping[str, Any]) -> list[tuple[Proposal, tuple[str, ...]]]:
    """Return the proposals of an event that `grown` made, with the keys of their results."""
    return [
        (
            proposal_from_json({name: of for name, of in one.items() if name != "results"}),
            tuple(one["results"]),
        )
        for one in event["proposals"]
    ]


def grown_looks(event: Mapping[str, Any]) -> list[Look]:
    """Return the looks of an event that `grown` made."""
    return [look_from_json(one) for one in event.get("looks", ())]


def grown(before: Plan, after: Plan, time: float) -> dict[str, Any]:
    """Return the event that a plan has grown: what is new of it.

    Args:
        before: the plan.
        after: the plan with more stages, cells, proposals and looks.
        time: seconds since the epoch.
    """
    known = {id(cell) for cell in before.cells}
    proposed = {(one.proposal.tuning, one.proposal.number) for one in before.proposed}
    looks = [
        look_to_json(look)
        for key, taken in after.looks.items()
        for look in taken[len(before.looks.get(key, ())) :]
    ]
    return {
        "event": "study_grew",
        "time": time,
        "stages": [
            stage_to_json(stage) for key, stage in after.stages.items() if key not in before.stages
        ],
        "cells": [_cell_to_json(cell) for cell in after.cells if id(cell) not in known],
        "proposals": [
            proposal_to_json(one.proposal) | {"results": list(one.results)}
            for one in after.proposed
            if (one.proposal.tuning, one.proposal.number) not in proposed
        ],
        **({"looks": looks} if looks else {}),
    }


def plan_from_json(values: Mapping[str, Any], kinds: Mapping[str, StageKind]) -> Plan:
    """Return the plan that `plan_to_json` wrote.

    Raises:
        UserError: it has another format, or a stage cannot be read back.
    """
    if values.get("format") != FORMAT:
        raise UserError(
            f"the plan has format {values.get('format')!r}, this rotlab reads {FORMAT}; "
            "plan it again with `rotlab run FILE`"
        )
    stages = {one["key"]: stage_from_json(one, kinds) for one in values["stages"]}
    return Plan(
        name=values["name"],
        question=values["question"],
        axes=tuple(values["axes"]),
        cells=tuple(_cell(one) for one in values["cells"]),
        stages=stages,
        collapsed=tuple(_collapsed(one) for one in values["collapsed"]),
        excluded=tuple(Excluded(one["arm"], one["because"]) for one in values["excluded"]),
        overridden=tuple(
            Overridden(one["settings"], one["because"], tuple(one["arms"]))
            for one in values.get("overridden", ())
        ),
        baseline=values.get("baseline", {}),
        stages_unshared=values["stages_unshared"],
        absent=tuple(values["absent"]),
        unsupported=values["unsupported"],
        warnings=tuple(values["warnings"]),
        continues=continuations(stages, kinds),
        **searches_from_json(values),
        **families_from_json(values),
    )


def _cell_to_json(cell: Cell) -> dict[str, Any]:
    return {
        "arm": dict(cell.arm),
        "target": cell.target,
        "replicate": dict(cell.replicate),
        "measure": cell.measure,
        "result": cell.result,
        "stages": list(cell.stages),
        **({"overrides": dict(cell.overrides)} if cell.overrides else {}),
    }


def _cell(values: Mapping[str, Any]) -> Cell:
    return Cell(
        arm=values["arm"],
        target=values["target"],
        replicate=values["replicate"],
        measure=values["measure"],
        result=values["result"],
        stages=tuple(values["stages"]),
        overrides=values.get("overrides", {}),
    )


def _collapsed(values: Mapping[str, Any]) -> Collapsed:
    where = {choice: tuple(held) for choice, held in values["where"].items()}
    return Collapsed(tuple(values["axes"]), where, values["combinations"], values["arms"])
