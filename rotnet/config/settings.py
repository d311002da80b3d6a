"""What every group of settings is: frozen, checked when it is made, with an identity.

A setting is either a *what*, which changes the result and so belongs to the identity of the work,
or a *how* (loader threads, checkpoint interval), which does not. `identity` returns the whats only.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from rotnet.errors import offer
from rotnet.registry import Registry

HOW: dict[str, JsonValue] = {"how": True}
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
NonNegativeFloat = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Triple = Annotated[tuple[float, float, float], Field(strict=False)]


def added(neutral: JsonValue) -> dict[str, JsonValue]:
    """Mark a *what* that came later: at this value it is left out of identities."""
    return {"neutral": neutral}


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown names and wrong types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def canonical(self) -> Self:
        """Return the one form of all settings that ask for the same work."""
        return self


def identity(settings: BaseModel) -> dict[str, Any]:
    """Return the settings that can change a result, as plain values for hashing.

    A field marked `how` is left out, as is a group in which every field is one; a field whose
    `neutral` value (in its json_schema_extra) it holds is left out too, so that a setting added
    later keeps the identities of old work.
    """
    found: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, Mapping) else {}
        value = getattr(settings, name)
        plain = list(map(_plain, value)) if isinstance(value, tuple) else value
        if extra.get("how") or ("neutral" in extra and plain == extra["neutral"]):
            continue
        if isinstance(value, BaseModel):
            inner = identity(value.canonical() if isinstance(value, Settings) else value)
            if inner:
                found[name] = inner
        else:
            found[name] = plain
    return found


def _plain(value: object) -> object:
    return identity(value) if isinstance(value, BaseModel) else value


def check_known(registry: Registry, name: str) -> str:
    """Return a name that stands for something.

    Raises:
        ValueError: if nothing in the registry is called so.
    """
    if name in registry.built_in or name in registry.names():
        return name
    raise ValueError(f"unknown {registry.noun} {name!r}; {offer(name, registry.names())}")
