"""Why pydantic refused a value, in our words: the rule, and what was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_RULES = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be finite",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "literal_error": "must be {expected}",
    "too_short": "must have at least {min_length} values",
    "too_long": "must have at most {max_length} values",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that a section breaks.

    Args:
        field: the setting that breaks it; None where several do between them.
        place: keys and indices below the field, as far as the mistake is that deep.
        text: the rule and what was found.
    """

    field: str | None
    place: tuple[str | int, ...]
    text: str


def refusals(
    error: ValidationError, given: Mapping[str, Any], model: type[BaseModel]
) -> tuple[Refusal, ...]:
    """Return what is wrong, one entry for each mistake.

    Args:
        error: raised for a section.
        given: field -> value, as the user wrote them.
        model: of the section.
    """
    by_field: dict[str | None, list[ErrorDetails]] = {}
    for one in error.errors(include_url=False):
        field = str(one["loc"][0]) if one["loc"] else None
        by_field.setdefault(field, []).append(one)
    said: list[Refusal] = []
    for field, found in by_field.items():
        if field is None or field not in given:
            said += [Refusal(field, (), _rule(one)) for one in found]
        else:
            forms = _mapping_forms(model.model_fields.get(field))
            said += _of_field(field, found, given[field], forms)
    return tuple(dict.fromkeys(said))


def shown(value: object) -> str:
    """Return a value as the file would have it, cut where it is long."""
    text = (
        str(value).lower() if isinstance(value, bool) else "null" if value is None else repr(value)
    )
    return text if len(text) <= 60 else f"{text[:57]}..."


def _mapping_forms(field: FieldInfo | None) -> str:
    """What to write for a setting that may also be a mapping: " or {angles: ...}"."""
    members = get_args(field.annotation) if field else ()
    models = [one for one in members if isinstance(one, type) and issubclass(one, BaseModel)]
    return "".join(
        f" or {{{', '.join(f'{name}: ...' for name in one.model_fields)}}}" for one in models
    )


def _of_field(field: str, found: list[ErrorDetails], value: object, forms: str) -> list[Refusal]:
    said = []
    for one in found:
        if not _meant(one, found, value):
            continue
        place = _place(one, value)
        text = _rule(one) + (forms if one["type"] == "literal_error" else "")
        if one["type"] not in ("missing", "value_error", "extra_forbidden"):
            text += f", got {shown(one['input'])}{_near(one)}"
        said.append(Refusal(field, place, text))
    return said


def _meant(one: ErrorDetails, found: list[ErrorDetails], value: object) -> bool:
    """Of a setting with several forms, keep the complaints about the form that was meant.

    A mapping means the form that is a mapping, anything else means the others. Where a list is too
    short only because its own items are wrong, the items are what to mend.
    """
    inner = [other for other in found if len(other["loc"]) > 2 or other["type"] == "value_error"]
    if isinstance(value, Mapping) and inner and one["type"] in ("literal_error", "model_type"):
        return False
    if one["type"] == "model_type" and not isinstance(value, Mapping):
        return all(other["type"] == "model_type" for other in found)
    below = [other for other in found if other["loc"][: len(one["loc"])] == one["loc"]]
    return not (one["type"] == "too_short" and len(below) > 1)


def _place(one: ErrorDetails, value: object) -> tuple[str | int, ...]:
    """The part of pydantic's location that lies in the user's value; a union's members do not."""
    place: list[str | int] = []
    for part in one["loc"][1:]:
        known: object = range(len(value)) if isinstance(value, list) else value
        if isinstance(known, Mapping | range) and part in known:
            value = value[part]  # type: ignore[index]  # a list or a mapping that has it
            place.append(part)
    return tuple(place)


def _rule(one: ErrorDetails) -> str:
    context = one.get("ctx", {})
    if one["type"] == "value_error":
        return str(context["error"])
    if one["type"] == "missing":
        last = one["loc"][-1]
        return "has too few values" if isinstance(last, int) else f"needs a value for {last!r}"
    if one["type"] == "extra_forbidden":
        return f"unknown setting {one['loc'][-1]!r}"
    rule = _RULES.get(one["type"])
    if rule is None:
        return one["msg"][:1].lower() + one["msg"][1:]
    numbers = {
        name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in context.items()
    }
    return rule.format(**numbers).replace("'", "")


def _near(one: ErrorDetails) -> str:
    """The choice that was probably meant."""
    if one["type"] != "literal_error":
        return ""
    choices = one["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
    near = get_close_matches(str(one["input"]), choices, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
