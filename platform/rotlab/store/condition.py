"""What stages or results must be to be meant: `--where NAME=VALUE`. No disk."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rotlab.planning.key import canonical
from rotnet.errors import UserError

_BY_BEGINNING = ("commit", "source")


@dataclass(frozen=True, slots=True)
class Condition:
    """What something must be.

    Args:
        name: of a fact, such as "kind", or of a setting, such as "pretrain.lr".
        value: plain; of a fact, its text. A commit or source may be given by its first characters.
    """

    name: str
    value: Any

    def holds(self, facts: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
        """Say whether something is so.

        Args:
            facts: about it, by name.
            config: its settings.
        """
        if self.name in _BY_BEGINNING and self.name in facts:
            return str(facts[self.name] or "").startswith(self.value)
        if self.name in facts:
            return str(facts[self.name]) == self.value
        found: Any = config
        for part in self.name.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return False
            found = found[part]
        return canonical(found) == canonical(self.value)


def read_condition(text: str, facts: Collection[str]) -> Condition:
    """Return what NAME=VALUE means: of a fact the text, of a setting what a search space has.

    Args:
        text: as given.
        facts: names of facts that there are, beside settings.

    Raises:
        UserError: if it is not of that form, or the name is neither a fact nor a setting.
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or (name in facts and not value.strip()):
        raise UserError(f"must be NAME=VALUE, got {text!r}")
    if name not in facts and "." not in name:
        known = ", ".join(facts)
        raise UserError(f"--where {name}: must be {known}, or a setting such as pretrain.lr")
    if name in facts:  # a commit of digits is no number
        return Condition(name, value.strip())
    return Condition(name, read_plain(name, value))


def read_plain(name: str, value: str) -> Any:  # noqa: ANN401  # plain values of any sort
    """Return a value as a search space would have it: YAML 1.2.

    Raises:
        UserError: if it is none.
    """
    try:
        return YAML(typ="safe", pure=True).load(value) if value.strip() else ""
    except YAMLError as error:
        raise UserError(f"{name}: {value!r} is no value as YAML has it") from error
