"""The language of search spaces as JSON Schema, so that editors complete and check them.

It is made of what the parser reads by: the sections' models, the recipes, kinds, inits and limits
that are registered. What binds several settings, only `rotlab check` can tell.
"""

from collections.abc import Collection, Mapping
from typing import Any

from rotlab.planning.space.allowance import BUDGET, UNITS, words
from rotlab.planning.space.axes import VALUES, WHEN, why_no_axis
from rotlab.planning.space.budget import LIMITS
from rotlab.planning.space.excludes import BECAUSE
from rotlab.planning.space.looks import FEWEST
from rotlab.planning.space.looks import MOST as MOST_SEEDS
from rotlab.planning.space.objectives import CHOOSE, GOALS, WITHIN
from rotlab.planning.space.occupancy import AUTO, Occupied
from rotlab.planning.space.overrides import SET
from rotlab.planning.space.population import FEWEST as FEWEST_MEMBERS
from rotlab.planning.space.population import MOST as MOST_MEMBERS
from rotlab.planning.space.population import SHARES
from rotlab.planning.space.pruners import COUNT as EPOCHS
from rotlab.planning.space.pruners import OPTIONS as PRUNERS
from rotlab.planning.space.replicates import (
    DECIDED,
    LAST_SPLIT,
    LOOKS,
    SEEDS,
    UNTIL,
    draws_by_chance,
)
from rotlab.planning.space.report import NAME
from rotlab.planning.space.samplers import COUNT, FLAG, OPTIONS, PAIR, POPULATION, SCALE, SHARE
from rotlab.planning.space.search import SEARCH
from rotlab.planning.space.sections import CHOICES, DATA, TASK
from rotlab.planning.space.settings import Vocabulary, vocabulary
from rotlab.planning.space.spec import measures
from rotlab.planning.space.tries import MOST
from rotlab.planning.stage import StageKind
from rotnet.recipes import RECIPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOT_FOR_EDITORS = ("default", "neutral", "how", "title")  # a recipe's value holds, not the model's

Schema = dict[str, Any]

_SEED: Schema = {"type": "integer", "minimum": 0, "exclusiveMaximum": SEEDS}
_HOURS: Schema = {"type": "number", "exclusiveMinimum": 0}
_SPLIT: Schema = {"type": "integer", "minimum": 1, "maximum": LAST_SPLIT}


def make_schema(kinds: Mapping[str, StageKind]) -> Schema:
    """Return the JSON Schema (draft 2020-12) of a search space.

    Args:
        kinds: stage kinds that it may measure.
    """
    known = vocabulary(kinds)
    sections, definitions = _sections(known)
    return {
        "$schema": DIALECT,
        "title": "rotlab search space",
        "description": "What an ablation compares: axes, what is fixed, replicates and measures.",
        "type": "object",
        "properties": {**_names(), **_varying(known), **_study(kinds), **sections},
        "additionalProperties": False,
        "if": {"not": {"required": ["include"]}},
        "then": {
            "required": ["name", "data"],
            "properties": {"data": {"required": ["target"]}},
        },
        "$defs": {"when": _when(known), **definitions},
    }


def _names() -> Schema:
    """What a study is called, asks and starts from."""
    file = {"type": "string", "minLength": 1}
    return {
        "name": {**_name(), "description": "of the study; results are asked for by it"},
        "question": {"type": "string", "minLength": 1, "description": "that the study answers"},
        "base": {
            "description": "the recipe that gives every setting its default; paper, unless named",
            "oneOf": [{"const": name, "description": one.about} for name, one in RECIPES.items()],
        },
        "include": {
            "description": "files that this one is laid over, relative to it; the last has more "
            "say than those before it, and this one the most",
            **_one_or_several(file),
        },
    }


def _varying(known: Vocabulary) -> Schema:
    """What differs between arms, and for which of them something holds."""
    axes = _axes(known)
    settings = [axis for axis in axes if axis not in CHOICES]
    when = {"$ref": "#/$defs/when"}
    lists = {axis: _several(_value(axis)) for axis in axes}
    because = {"type": "string", "minLength": 1, "description": "the reason"}
    return {
        **{name: {**_value(name), "description": f"the {name} of every arm"} for name in CHOICES},
        "axes": {
            "description": "what varies: a setting, and its values; all are combined with all",
            **_object({axis: _axis(axis, lists[axis], when) for axis in axes}),
        },
        "zip": {
            "description": "axes that vary together: equally many values, taken in step",
            **_several(_object({**lists, WHEN: when}, least=2), unique=False),
        },
        "arms": {
            "description": "arms given one by one, beside the axes' combinations or instead",
            **_several(_object({axis: _value(axis) for axis in axes}, least=1), unique=False),
        },
        "ablate": {
            "description": "the baseline: the axes named vary one at a time around these values",
            **_object({axis: _value(axis) for axis in axes}, least=1),
        },
        "overrides": {
            "description": "settings of the arms that match, which are nothing to compare",
            **_several(
                _object(
                    {
                        WHEN: when,
                        SET: _object({name: _value(name) for name in settings}, least=1),
                        BECAUSE: because,
                    },
                    required=(WHEN, SET, BECAUSE),
                ),
                unique=False,
            ),
        },
        "exclude": {
            "description": "arms to leave out, and why",
            **_several(
                _object({WHEN: when, BECAUSE: because}, required=(WHEN, BECAUSE)), unique=False
            ),
        },
    }


def _axes(known: Vocabulary) -> list[str]:
    return [axis for axis in (*CHOICES, *known.paths()) if why_no_axis(known, axis, None) is None]


def _when(known: Vocabulary) -> Schema:
    return {
        "description": "axis: its value, or a list of which it is one",
        **_object({axis: _one_or_several(_value(axis)) for axis in _axes(known)}, least=1),
    }


def _axis(axis: str, values: Schema, when: Schema) -> Schema:
    """An axis: its values, or, of a setting, values for the arms that meet a condition."""
    if axis in CHOICES:
        return values
    branch = _object({VALUES: values, WHEN: when}, required=(VALUES,))
    return {"anyOf": [values, branch, _several(branch, unique=False)]}


def _study(kinds: Mapping[str, StageKind]) -> Schema:
    """What cells are repeated over, measure, occupy and may cost."""
    seeds = _several(_SEED)
    own = {name: seeds for name, kind in kinds.items() if draws_by_chance(kind)}
    splits = _several(_SPLIT)
    occupied = _tidy(Occupied.model_json_schema())
    occupied["properties"]["gpus"]["anyOf"].append({"const": AUTO})
    limit = {"type": "number", "exclusiveMinimum": 0}
    return {
        "replicates": {
            "description": "what every arm is repeated over",
            **_object(
                {
                    "seed": {
                        "description": "of the whole chain, or of stage kinds, all with all",
                        "anyOf": [seeds, _object(own, least=1)],
                    },
                    "split": {"description": "the target's official splits, from 1", **splits},
                    UNTIL: {
                        "description": "seeds are added at looks until a difference is decided",
                        "const": DECIDED,
                    },
                    LOOKS: {
                        "description": "how many seeds an arm that is still open has at each",
                        "type": "array",
                        "items": {"type": "integer", "minimum": FEWEST, "maximum": MOST_SEEDS},
                        "minItems": 2,
                        "uniqueItems": True,
                    },
                }
            ),
            "dependentRequired": {UNTIL: [LOOKS], LOOKS: [UNTIL]},
        },
        "measure": {
            "description": "what cells measure: a stage kind, or several",
            **_one_or_several({"enum": list(measures(kinds))}),
        },
        "resources": {
            "description": "what a stage of a kind occupies; changes no result",
            **_object(dict.fromkeys(kinds, occupied)),
        },
        SEARCH: {"description": "settings that are tuned for each arm", **_search(kinds)},
        "budget": {
            "description": "what the study may cost at most",
            **_object({name: {**limit, "description": unit} for name, (_, unit) in LIMITS.items()}),
        },
    }


def _search(kinds: Mapping[str, StageKind]) -> Schema:
    """The settings that are searched, by what and how."""
    axes = _axes(vocabulary(kinds))
    number = {"type": "number"}
    when = {
        "description": "another searched setting: its value, or a list of which it is one",
        **_object({axis: True for axis in axes if axis not in CHOICES}, least=1),
    }
    ends = {"low": number, "high": number, "step": number, "log": {"type": "boolean"}, WHEN: when}
    values = {"type": "array", "minItems": 2, "uniqueItems": True}
    some = _object({VALUES: {**values, "minItems": 1}, WHEN: when}, required=(VALUES,))
    domain = {"anyOf": [_object(ends, required=("low", "high")), values, some]}
    judged = [name for name, kind in kinds.items() if kind.judged is not None]
    count = {"type": "integer", "minimum": 1, "maximum": MOST}
    several = {
        "type": "object",
        "additionalProperties": {"enum": list(GOALS)},
        "minProperties": 1,
    }
    described: dict[str, tuple[str, Schema]] = {
        "settings": (
            "what is searched: a range, or a list of values",
            _object({axis: domain for axis in axes if axis not in CHOICES}, least=1),
        ),
        "by": ("the stage kind whose metric on held-out videos decides", {"enum": judged}),
        "metric": (
            "of that kind; or several objectives, each with its goal, gpu_hours among them",
            {"anyOf": [{"type": "string", "minLength": 1}, several]},
        ),
        "goal": ("what is better", {"enum": list(GOALS)}),
        CHOOSE: (
            "which of the Pareto front wins: the best by the first metric, or the best by the "
            "second of those so near to it",
            {"anyOf": [{"const": "best"}, _object({WITHIN: _HOURS}, required=(WITHIN,))]},
        ),
        "proposals": ("how many settings each search tries", count),
        BUDGET: (
            "how many hours each search may take",
            {
                **_object({unit: {**_HOURS, "description": words(unit)} for unit in UNITS}),
                "minProperties": 1,
                "maxProperties": 1,
            },
        ),
        "at_once": ("how many of them are under way", count),
        "sampler": ("what proposes them", {"anyOf": [{"enum": list(OPTIONS)}, *_samplers()]}),
        "pruner": (
            "what stops those that fall behind",
            {"anyOf": [{"enum": list(PRUNERS)}, *_pruners()]},
        ),
        "population": ("of networks that take over from one another on the way", _population()),
        "per": (
            "what has a search of its own: each arm, the study, or arms that differ on these axes",
            {"anyOf": [{"enum": ["arm", "study"]}, _several({"enum": axes})]},
        ),
        "seed": ("on which proposals are judged", _several(_SEED)),
        "split": ("on which proposals are judged", _several(_SPLIT)),
    }
    properties = {name: {"description": said, **one} for name, (said, one) in described.items()}
    return _object(properties, required=("settings",))


def _population() -> Schema:
    """The parts of a population."""
    shares = {
        name: {"type": "number", "minimum": low, "maximum": high}
        for name, (_, low, high) in SHARES.items()
    }
    members = {"type": "integer", "minimum": FEWEST_MEMBERS, "maximum": MOST_MEMBERS}
    every = {"type": "integer", "minimum": 1, "maximum": MOST_MEMBERS}
    return _object({"members": members, "every": every, **shares}, required=("members", "every"))


def _pruners() -> list[Schema]:
    """The pruners with their options."""
    whole, factor = {"type": "integer", "minimum": 1}, {"type": "number", "exclusiveMinimum": 1}
    return [
        _object(
            {
                "name": {"const": name},
                **{option: whole if rule == EPOCHS else factor for option, rule in options.items()},
            },
            required=("name",),
        )
        for name, options in PRUNERS.items()
    ]


def _samplers() -> list[Schema]:
    """The samplers with their options."""
    forms: Mapping[str, Schema] = {
        FLAG: {"type": "boolean"},
        COUNT: {"type": "integer", "minimum": 1},
        PAIR: {"type": "integer", "minimum": 2},
        POPULATION: {"type": "integer", "minimum": 4},
        SHARE: {"type": "number", "minimum": 0, "maximum": 1},
        SCALE: {"type": "number", "exclusiveMinimum": 0},
    }
    return [
        _object(
            {
                "name": {"const": name},
                **{
                    option: forms[rule] if isinstance(rule, str) else {"enum": list(rule)}
                    for option, rule in options.items()
                },
            },
            required=("name",),
        )
        for name, options in OPTIONS.items()
    ]


def _sections(known: Vocabulary) -> tuple[Schema, Schema]:
    """Every section of settings, and the definitions of all settings: "section.field" -> schema."""
    sections: Schema = {}
    definitions: Schema = {name: {"enum": list(valid())} for name, valid in CHOICES.items()}
    for section, model in known.sections.items():
        made = model.model_json_schema(ref_template=f"#/$defs/{section}.{{model}}")
        for name, one in made.get("$defs", {}).items():
            definitions[f"{section}.{name}"] = _tidy(one)
        fields = {
            field: one for field, one in made["properties"].items() if f"{section}.{field}" != TASK
        }
        for field, one in fields.items():
            definitions[f"{section}.{field}"] = _tidy(one)
        sections[section] = {
            "description": str(made.get("description", "")).partition("\n\n")[0],
            **_object({field: _value(f"{section}.{field}") for field in fields}),
        }
    data = sections.setdefault(DATA, {"description": "the data sets", **_object({})})
    data["properties"] |= {
        "pretrain": {**_name(), "description": "prepared set that pretraining learns from"},
        "target": {
            "description": "prepared sets that cells are measured on",
            **_one_or_several(_name()),
        },
        "weights": {**_name(), "description": "converted network, for init supervised"},
    }
    return sections, definitions


def _tidy(schema: Any) -> Any:  # noqa: ANN401  # any part of a schema
    """A model's schema without what says nothing about a file."""
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {field: _tidy(inner) for field, inner in one.items()}
        if name == "properties"
        else _tidy(one)
        for name, one in schema.items()
        if name not in _NOT_FOR_EDITORS
    }


def _value(axis: str) -> Schema:
    return {"$ref": f"#/$defs/{axis}"}


def _name() -> Schema:
    return {"type": "string", "pattern": f"^{NAME}$"}


def _several(one: Schema, *, unique: bool = True) -> Schema:
    found = {"type": "array", "items": one, "minItems": 1}
    return {**found, "uniqueItems": True} if unique else found


def _one_or_several(one: Schema) -> Schema:
    return {"anyOf": [one, _several(one)]}


def _object(properties: Schema, *, required: Collection[str] = (), least: int = 0) -> Schema:
    found: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    if required:
        found["required"] = list(required)
    return {**found, "minProperties": least} if least else found
