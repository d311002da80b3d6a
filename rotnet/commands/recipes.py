"""`rotnet recipes`: the named settings, where they come from, and in what they differ from that."""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import fields
from typing import Any

from pydantic import BaseModel

from rotnet.recipes import RECIPES, Recipe


def configure(parser: ArgumentParser) -> None:
    """Add what it takes."""
    parser.description = "Say what the recipes are, or all settings of one."
    parser.add_argument("name", metavar="NAME", nargs="?", choices=[*RECIPES], help="of a recipe")


def run(args: Namespace) -> int:
    """Print the recipes, or one in full."""
    chosen = [args.name] if args.name else list(RECIPES)
    for name in chosen:
        recipe = RECIPES[name]
        sys.stdout.write(f"{name}: {recipe.about}\n")
        if args.name:
            sys.stdout.writelines(f"  {line}\n" for line in _settings(recipe))
            sys.stdout.writelines(f"  differs: {line}\n" for line in recipe.deviations)
    return 0


def _settings(recipe: Recipe) -> list[str]:
    lines = []
    for section in fields(recipe):
        value = getattr(recipe, section.name)
        if isinstance(value, BaseModel):
            lines += [
                f"{section.name}.{field}: {_shown(one)}"
                for field, one in value.model_dump().items()
            ]
    return lines


def _shown(value: Any) -> str:  # noqa: ANN401  # a setting of any type
    return str(list(value)) if isinstance(value, tuple) else str(value)
