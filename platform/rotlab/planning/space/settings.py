"""Every setting that a search space may name, what it may hold, and the sections made from them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from rotlab.planning.inits import imposed, reads
from rotlab.planning.kinds import sections_of
from rotlab.planning.space.names import unknown
from rotlab.planning.space.refusals import Refusal, refusals
from rotlab.planning.stage import StageKind
from rotnet.errors import UserError
from rotnet.recipes import RECIPES

Made = BaseModel | tuple[Refusal, ...]  # a section, or why there can be none


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The sections of settings of all stage kinds.

    Args:
        sections: name -> model, in alphabetical order.
    """

    sections: Mapping[str, type[BaseModel]]

    def paths(self) -> list[str]:
        """Return every setting as "section.field"."""
        return [
            f"{section}.{field}"
            for section, model in self.sections.items()
            for field in model.model_fields
        ]

    def knows(self, path: str) -> bool:
        """Say whether "section.field" is a setting."""
        section, _, field = path.partition(".")
        return section in self.sections and field in self.sections[section].model_fields

    def changes_results(self, path: str) -> bool:
        """Say whether a setting is a *what*; one that is a *how* leaves every result as it is."""
        section, _, field = path.partition(".")
        extra = self.sections[section].model_fields[field].json_schema_extra
        return not (isinstance(extra, Mapping) and extra.get("how"))

    def why_unknown(self, path: str, others: Iterable[str] = ()) -> str:
        """Return what to say of a path that is no setting; `others` are valid besides."""
        section, dot, _ = path.partition(".")
        if dot and section in self.sections:
            fields = [f"{section}.{field}" for field in self.sections[section].model_fields]
            return unknown("setting", path, fields)
        if path in self.sections:
            fields = [f"{path}.{field}" for field in self.sections[path].model_fields]
            return f"{path!r} is a section; name one of its settings ({', '.join(fields)})"
        return unknown("setting", path, [*self.paths(), *others])


def vocabulary(kinds: Mapping[str, StageKind]) -> Vocabulary:
    """Return the sections that the kinds read between them.

    Raises:
        UserError: two kinds mean different things by one section.
    """
    found: dict[str, type[BaseModel]] = {}
    for kind in kinds.values():
        for section, model in sections_of(kind).items():
            if found.setdefault(section, model) is not model:
                raise UserError(
                    f"stage kind {kind.name!r}: section {section!r} is {model.__name__} here "
                    f"and {found[section].__name__} in another kind; a section has one form"
                )
    return Vocabulary(dict(sorted(found.items())))


def make_section(
    model: type[BaseModel], section: str, base: str, changes: Mapping[str, Any], init: str
) -> Made:
    """Return a section with the base recipe's values and these changes, or why there can be none.

    What an init decides or does not read is as it decides, or at the model's default: equal work
    has one form.

    Args:
        model: of the section.
        section: its name, by which the recipe is asked.
        base: name of the recipe. A section that no recipe has starts from its model's defaults.
        changes: field -> plain value.
        init: of the networks that it is for.
    """
    default = getattr(RECIPES[base], section, None)
    given = {name: getattr(default, name) for name in model.model_fields} if default else {}
    read = {
        name: value for name, value in {**given, **changes}.items() if reads(init, section, name)
    }
    try:
        return model.model_validate({**read, **imposed(init, section)})
    except ValidationError as error:
        return refusals(error, changes, model)


def plain(value: object) -> Any:  # noqa: ANN401  # plain values of any sort
    """Return a setting's value as text, numbers, lists and mappings."""
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(inner) for inner in value]
    return value
