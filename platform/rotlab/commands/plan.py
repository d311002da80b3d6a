"""`rotlab plan`: what a search space would run, and what sharing saves."""

import argparse
import json
from collections import Counter

from rotlab.commands.options import add_data, add_file, add_store
from rotlab.execution.store import Store
from rotlab.planning.outline import outline, outline_json
from rotlab.planning.planned import plan_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab plan`."""
    add_file(parser)
    parser.add_argument("--json", action="store_true", help="for a program to read")
    add_data(parser)
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Print the plan; return 0.

    Raises:
        UserError: the search space, a data set or the store is not in order.
    """
    planned = plan_file(args.file, args.data)
    stages = planned.plan.stages
    records = Store.open(args.store, writing=False).records(stages.values())
    done = Counter(stages[key].kind for key in records)
    if args.json:
        print(json.dumps(outline_json(planned, done), indent=2))
    else:
        print(outline(planned, done))
    return 0
