"""Settings from the command line: a recipe, with some of its values replaced."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rotnet.errors import UserError, offer
from rotnet.recipes import RECIPES

Config = TypeVar("Config", bound=BaseModel)


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
        raise UserError("; ".join(_explain(problem) for problem in error.errors())) from None


def _explain(problem: ErrorDetails) -> str:
    """Return where, which rule, and the value; a rule of several settings names them itself."""
    where = ".".join(str(part) for part in problem["loc"])
    rule = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem["input"], Mapping):
        return f"{where}: {rule}"
    return f"{where}: {rule}, got {problem['input']!r}"


def _value(text: str) -> object:
    """Return a number, list and so on where the text is one, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
