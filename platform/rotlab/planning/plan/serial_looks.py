"""Looks, and what they judge together, as plain JSON values and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.looks import Family, Look, Verdict


def families_to_json(plan: Plan) -> dict[str, Any]:
    """Return what looks judge together in a plan, and the looks that were taken."""
    return {
        "families": [
            {
                "key": one.key,
                "target": one.target,
                "measure": one.measure,
                "metric": one.metric,
                "arms": list(map(dict, one.arms)),
                "pairs": list(map(list, one.pairs)),
                "at": list(one.at),
            }
            for one in plan.families.values()
        ],
        "looks": [look_to_json(look) for taken in plan.looks.values() for look in taken],
    }


def families_from_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a plan that `families_to_json` wrote, none where there are none."""
    if "families" not in values:
        return {}
    families = {
        one["key"]: Family(
            **{
                **one,
                "arms": tuple(one["arms"]),
                "pairs": tuple((arm, base) for arm, base in one["pairs"]),
                "at": tuple(one["at"]),
            }
        )
        for one in values["families"]
    }
    looks: dict[str, tuple[Look, ...]] = dict.fromkeys(families, ())
    for one in map(look_from_json, values["looks"]):
        looks[one.family] += (one,)
    return {"families": families, "looks": looks}


def look_to_json(look: Look) -> dict[str, Any]:
    """Return a look as plain values."""
    return {
        "family": look.family,
        "number": look.number,
        "verdicts": [asdict(one) for one in look.verdicts],
        "values": list(map(list, look.values)),
    }


def look_from_json(values: Mapping[str, Any]) -> Look:
    """Return the look that `look_to_json` wrote.

    Raises:
        ValueError: a field is missing or unknown.
    """
    try:
        verdicts = tuple(Verdict(**one) for one in values["verdicts"])
        held = tuple(map(tuple, values["values"]))
        return Look(**{**values, "verdicts": verdicts, "values": held})
    except (TypeError, KeyError) as error:
        raise ValueError(f"not the fields of a look: {error}") from error
