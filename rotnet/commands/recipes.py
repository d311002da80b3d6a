"""`rotnet recipes`: the named settings, the source of each, and in what they differ from that."""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import fields
from typing import Any

from pydantic import BaseModel

from rotnet.provenance import REFERENCES, sources_of
from rotnet.recipes import RECIPES, Recipe

_WIDTH = 44  # characters of a setting and its value, before the source


def configure(parser: ArgumentParser) -> None:
    """Add what it takes."""
    parser.description = "Say what the recipes are, or all settings of one, each with its source."
    parser.add_argument("name", metavar="NAME", nargs="?", choices=[*RECIPES], help="of a recipe")


def run(args: Namespace) -> int:
    """Print the recipes, or one in full."""
    chosen = [args.name] if args.name else list(RECIPES)
    for name in chosen:
        recipe = RECIPES[name]
        sys.stdout.write(f"{name}: {recipe.about}\n")
        if args.name:
            sources = sources_of(name)
            sys.stdout.writelines(
                f"  {f'{setting}: {value}':<{_WIDTH}}  {sources[setting]}\n"
                for setting, value in _settings(recipe)
            )
            sys.stdout.writelines(f"  differs: {line}\n" for line in recipe.deviations)
            cited = {source.partition(" ")[0].strip(",:;") for source in sources.values()}
            sys.stdout.writelines(
                f"  source: {short} is {where}\n"
                for short, where in REFERENCES.items()
                if short in cited
            )
    return 0


def _settings(recipe: Recipe) -> list[tuple[str, str]]:
    lines = []
    for section in fields(recipe):
        value = getattr(recipe, section.name)
        if isinstance(value, BaseModel):
            lines += [
                (f"{section.name}.{field}", _shown(one))
                for field, one in value.model_dump().items()
            ]
    return lines


def _shown(value: Any) -> str:  # noqa: ANN401  # a setting of any type
    return str(list(value)) if isinstance(value, tuple) else str(value)
