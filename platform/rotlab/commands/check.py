"""`rotlab check`: whether a search space is in order."""

import argparse
import sys

from rotlab.commands.options import add_data, add_file
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.planned import plan_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab check`."""
    add_file(parser)
    add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Print what the search space comes to; return 0.

    Raises:
        UserError: with all that is wrong with it.
    """
    plan = plan_file(args.file, args.data).imagined(Decisions()).plan
    for warning in plan.warnings:
        print(f"warning: {args.file}: {warning}", file=sys.stderr)
    number = len(plan.warnings)
    print(
        f"ok: {plan.num_arms} arms, {len(plan.cells)} cells, {len(plan.stages)} stages, "
        f"{number} warning{'' if number == 1 else 's'}"
    )
    return 0
