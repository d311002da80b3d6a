"""The searches of a plan as plain JSON values and back, and what they decided."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rotlab.planning.plan.decisions import (
    Awaited,
    Contest,
    Ended,
    Proposal,
    Proposed,
    Pruned,
    Tuning,
    Winner,
)
from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.allowance import Allowance
from rotlab.planning.space.objectives import Objective
from rotlab.planning.space.population import Population


def searches_to_json(plan: Plan) -> dict[str, Any]:
    """Return the searches of a plan, their proposals and the cells that wait for them."""
    return {
        "tunings": [
            {
                "key": one.key,
                "settings": list(one.settings),
                "arms": list(map(dict, one.arms)),
                "target": one.target,
                "modality": one.modality,
                "proposals": one.proposals,
                "split": one.split,
                **({"contest": asdict(one.contest)} if one.contest else {}),
                **({} if one.points is None else {"points": one.points}),
                **({"population": one.population.plain()} if one.population else {}),
                **({"allowance": asdict(one.allowance)} if one.allowance else {}),
                **({"objectives": list(map(asdict, one.objectives))} if one.objectives else {}),
                **({"within": one.within} if one.within else {}),
            }
            for one in plan.tunings.values()
        ],
        "proposed": [
            {
                "proposal": proposal_to_json(one.proposal),
                "results": list(one.results),
                "stages": list(one.stages),
            }
            for one in plan.proposed
        ],
        "awaited": [
            {
                "arm": dict(one.arm),
                "target": one.target,
                "replicate": dict(one.replicate),
                "measure": one.measure,
                "place": one.place,
            }
            for one in plan.awaited
        ],
    }


def searches_from_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a plan that `searches_to_json` wrote, none where there are none."""
    if "tunings" not in values:
        return {}
    tunings = map(_tuning_from_json, values["tunings"])
    return {
        "tunings": {one.key: one for one in tunings},
        "proposed": tuple(
            Proposed(
                proposal_from_json(one["proposal"]), tuple(one["results"]), tuple(one["stages"])
            )
            for one in values["proposed"]
        ),
        "awaited": tuple(Awaited(**one) for one in values["awaited"]),
    }


def _tuning_from_json(values: Mapping[str, Any]) -> Tuning:
    contest, population = values.get("contest"), values.get("population")
    contest, allowance = values.get("contest"), values.get("allowance")
    made = {
        "settings": tuple(values["settings"]),
        "arms": tuple(values["arms"]),
        "contest": Contest(**contest) if contest else None,
        "population": Population(**population) if population else None,
        "allowance": Allowance(**allowance) if allowance else None,
        "objectives": tuple(Objective(**one) for one in values.get("objectives", ())),
    }
    return Tuning(**{**values, **made})


def proposal_to_json(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal as plain values."""
    return {
        "tuning": proposal.tuning,
        "number": proposal.number,
        "settings": dict(proposal.settings),
        "notes": dict(proposal.notes),
    }


def proposal_from_json(values: Mapping[str, Any]) -> Proposal:
    """Return the proposal that `proposal_to_json` wrote.

    Raises:
        ValueError: a field is missing or unknown.
    """
    try:
        return Proposal(**values)
    except TypeError as error:
        raise ValueError(f"not the fields of a proposal: {error}") from error


def ended_to_json(ended: Ended) -> dict[str, Any]:
    """Return how a proposal ended as plain values."""
    return {
        "tuning": ended.tuning,
        "number": ended.number,
        "value": ended.value,
        "results": list(ended.results),
        **({"pruned": True} if ended.pruned else {}),
        **({"others": list(ended.others)} if ended.others else {}),
        **({} if ended.hours is None else {"hours": dict(ended.hours)}),
    }


def ended_from_json(values: Mapping[str, Any]) -> Ended:
    """Return what `ended_to_json` wrote.

    Raises:
        ValueError: a field is missing or unknown.
    """
    try:
        others = tuple(values.get("others", ()))
        return Ended(**{**values, "results": tuple(values["results"]), "others": others})
    except (TypeError, KeyError) as error:
        raise ValueError(f"not the fields of a proposal's end: {error}") from error


def winner_to_json(winner: Winner) -> dict[str, Any]:
    """Return a winner as plain values."""
    return {
        "tuning": winner.tuning,
        "number": winner.number,
        "settings": dict(winner.settings),
        "value": winner.value,
        "values": {str(number): value for number, value in winner.values.items()},
        **({"pruned": list(winner.pruned)} if winner.pruned else {}),
        **(
            {"others": {str(n): list(o) for n, o in winner.others.items()}} if winner.others else {}
        ),
        **({"front": list(winner.front)} if winner.front else {}),
        **({"within": winner.within} if winner.within else {}),
    }


def winner_from_json(values: Mapping[str, Any]) -> Winner:
    """Return the winner that `winner_to_json` wrote.

    Raises:
        ValueError: a field is missing or unknown.
    """
    try:
        told = {int(number): value for number, value in values["values"].items()}
        made = {
            "values": told,
            "pruned": tuple(values.get("pruned", ())),
            "others": {int(n): tuple(one) for n, one in values.get("others", {}).items()},
            "front": tuple(values.get("front", ())),
        }
        return Winner(**{**values, **made})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not the fields of a winner: {error}") from error


def pruned_to_json(pruned: Pruned) -> dict[str, Any]:
    """Return that a stage is stopped as plain values."""
    curve = {str(step): value for step, value in pruned.curve.items()}
    return {**asdict(pruned), "curve": curve, "beside": dict(pruned.beside)}


def pruned_from_json(values: Mapping[str, Any]) -> Pruned:
    """Return what `pruned_to_json` wrote.

    Raises:
        ValueError: a field is missing or unknown.
    """
    try:
        curve = {int(step): value for step, value in values["curve"].items()}
        return Pruned(**{**values, "curve": curve})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not the fields of a stage that is stopped: {error}") from error
