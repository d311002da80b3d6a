"""What holds wherever nothing varies: a recipe, and what the file fixes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rotlab.planning.inits import inits, reads
from rotlab.planning.space.names import unknown
from rotlab.planning.space.sections import CHOICES, Settings
from rotlab.planning.space.settings import Made, Vocabulary, make_section, plain


@dataclass(frozen=True, slots=True)
class Defaults:
    """The values that a file starts from.

    Args:
        known: the sections there are.
        base: name of the recipe.
        fixed: section -> field -> fixed value.
        choices: "init" and "modality" -> the fixed one, where it is no axis.
    """

    known: Vocabulary
    base: str
    fixed: Settings
    choices: Mapping[str, str]

    def value(self, setting: str, among: Iterable[str]) -> Any:  # noqa: ANN401  # plain values of any sort
        """Return what a setting is unless something varies it.

        Args:
            setting: "section.field", or a choice.
            among: inits of the file.
        """
        if setting in self.choices:
            return self.choices[setting]
        section, _, field = setting.partition(".")
        fixed = self.fixed.get(section, {})
        own = {field: fixed[field]} if field in fixed else {}
        for changes in (fixed, own, {}):  # what others fix may not go with the recipe alone
            made = self._make(section, changes, init_that_reads(section, field, among))
            if isinstance(made, BaseModel):
                return plain(getattr(made, field))
        return None

    def form(self, setting: str, value: object, among: Iterable[str]) -> Any:  # noqa: ANN401  # as value
        """Return the form that a setting gives a value.

        One that it can hold together with others only stays as it is.

        Raises:
            ValueError: it cannot hold such a value; the rule, and what was found.
        """
        if setting in self.choices:
            if value not in CHOICES[setting]():
                raise ValueError(unknown(setting, value, CHOICES[setting]()))
            return value
        section, _, field = setting.partition(".")
        changes = {**self.fixed.get(section, {}), field: value}
        made = self._make(section, changes, init_that_reads(section, field, among))
        if isinstance(made, BaseModel):
            return plain(getattr(made, field))
        for refusal in made:
            if refusal.field == field:
                raise ValueError(refusal.text)
        return value

    def _make(self, section: str, changes: Mapping[str, Any], init: str) -> Made:
        return make_section(self.known.sections[section], section, self.base, changes, init)


def init_that_reads(section: str, field: str, among: Iterable[str]) -> str:
    """Return an init that reads a setting, the first of those given that does where one does."""
    candidates = (*among, *inits())
    return next((one for one in candidates if reads(one, section, field)), candidates[0])
