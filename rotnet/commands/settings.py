"""Settings from the command line: a recipe, with some of its values replaced."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rotnet.data.framestore.layout import is_url
from rotnet.errors import UserError, offer
from rotnet.recipes import RECIPES

Config = TypeVar("Config", bound=BaseModel)


def set_location(text: str) -> Path | str:
    """Return where a prepared set is: a path, or a URL as it stands."""
    return text if is_url(text) else Path(text)


def add_settings(parser: ArgumentParser) -> None:
    """Add --recipe and --set."""
    parser.add_argument(
        "--recipe", choices=sorted(RECIPES), default="paper", help="settings to start from [paper]"
    )
    parser.add_argument(
        "--set",
        dest="replaced",
        metavar="SECTION.FIELD=VALUE",
        action="append",
        default=[],
        help="replace one of them, such as pretrain.epochs=20; may be given several times",
    )


def add_network(parser: ArgumentParser) -> None:
    """Add --modality and --seed."""
    parser.add_argument(
        "--modality", choices=("rgb", "dif"), default="rgb", help="what the network sees [rgb]"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all randomness [0]")


def make_config(kind: type[Config], args: Namespace, values: Mapping[str, Any]) -> Config:
    """Return a stage's settings: the recipe's sections that it reads, as replaced, and values.

    Raises:
        UserError: if a setting is unknown or its value is refused; every problem is named.
    """
    recipe = RECIPES[args.recipe]
    tree: dict[str, Any] = {
        section.name: getattr(recipe, section.name).model_dump()
        for section in fields(recipe)
        if section.name in kind.model_fields
    }
    for word in args.replaced:
        path, equals, text = word.partition("=")
        section, dot, name = path.partition(".")
        if not equals or not dot:
            raise UserError(f"--set {word}: write it as SECTION.FIELD=VALUE")
        if section not in tree:
            raise UserError(
                f"--set {word}: unknown section {section!r}; {offer(section, sorted(tree))}"
            )
        if name not in tree[section]:
            raise UserError(
                f"--set {word}: unknown setting {name!r} of {section}; "
                f"{offer(name, list(tree[section]))}"
            )
        tree[section][name] = _value(text)
    try:
        return kind.model_validate({**tree, **values})
    except ValidationError as error:
        found = error.errors()
        said = (_explain(problem, found) for problem in found if _meant(problem, found))
        raise UserError("; ".join(said)) from None


def _meant(problem: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """Whether it is about the form that was meant, of a setting that has several.

    A mapping means the form that is one, all else the others. Items that are wrong leave a list too
    short; they are what to mend.
    """
    if problem["type"] == "too_short":
        return not any(_below(other, problem) for other in found)
    if problem["type"] == "literal_error" and isinstance(problem["input"], Mapping):
        return all(other is problem or not _beside(other, problem) for other in found)
    if problem["type"] == "model_type":
        return not any(
            other["type"] == "literal_error" and _beside(other, problem) for other in found
        )
    return True


def _explain(problem: ErrorDetails, found: Sequence[ErrorDetails]) -> str:
    """Return where, which rule, and the value; a rule of several settings names them itself."""
    where = ".".join(_place(problem))
    rule = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "literal_error" and any(
        other["type"] == "model_type" and _beside(other, problem) for other in found
    ):
        rule += ' or a mapping in JSON such as {"angles": [0, 120, 240]}'
    if not isinstance(problem["input"], Mapping):
        rule += f", got {problem['input']!r}"
    return f"{where}: {rule}" if where else rule


def _place(problem: ErrorDetails) -> list[str]:
    """Return names and indices as the user writes them; pydantic's have a union's members too."""
    return [text for part in problem["loc"] if "[" not in (text := str(part))]


def _beside(other: ErrorDetails, problem: ErrorDetails) -> bool:
    place = _place(problem)
    return _place(other)[: len(place)] == place


def _below(other: ErrorDetails, problem: ErrorDetails) -> bool:
    return _beside(other, problem) and len(_place(other)) > len(_place(problem))


def _value(text: str) -> object:
    """Return a number, list and so on where the text is one, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
