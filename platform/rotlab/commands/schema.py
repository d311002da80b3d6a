"""`rotlab schema`: the language of search spaces, for editors."""

import argparse
import json

from rotlab.planning.kinds import load_kinds
from rotlab.planning.space.schema import make_schema


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab schema`: none."""


def run(args: argparse.Namespace) -> int:  # noqa: ARG001  # every command is called alike
    """Print the JSON Schema; return 0.

    Raises:
        UserError: a registered stage kind is not in order.
    """
    print(json.dumps(make_schema(load_kinds()), indent=2))
    return 0
