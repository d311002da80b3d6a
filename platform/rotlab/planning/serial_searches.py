"""The searches of a plan as plain JSON values and back, and what they decided."""

from collections.abc import Mapping
from typing import Any

from rotlab.planning.decisions import Awaited, Ended, Proposal, Proposed, Tuning, Winner
from rotlab.planning.plan import Plan


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
                **({} if one.points is None else {"points": one.points}),
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
    tunings = (
        Tuning(**{**one, "settings": tuple(one["settings"]), "arms": tuple(one["arms"])})
        for one in values["tunings"]
    )
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
    }


def ended_from_json(values: Mapping[str, Any]) -> Ended:
    """Return what `ended_to_json` wrote.

    Raises:
        ValueError: a field is missing or unknown.
    """
    try:
        return Ended(**{**values, "results": tuple(values["results"])})
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
    }


def winner_from_json(values: Mapping[str, Any]) -> Winner:
    """Return the winner that `winner_to_json` wrote.

    Raises:
        ValueError: a field is missing or unknown.
    """
    try:
        told = {int(number): value for number, value in values["values"].items()}
        return Winner(**{**values, "values": told})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not the fields of a winner: {error}") from error
