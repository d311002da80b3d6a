"""`rotlab logs`: what a stage said while it worked."""

import argparse
import sys

from rotlab.commands.options import add_stage, add_store
from rotlab.planning.kinds import load_kinds
from rotlab.store.find import find_stage
from rotlab.store.store import Store
from rotnet.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab logs`."""
    add_stage(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--attempt", metavar="ID", help="of this attempt, not of the last")
    which.add_argument("--all", action="store_true", help="of all attempts, oldest first")
    parser.add_argument("--list", action="store_true", help="only the files' paths, oldest first")
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Print a log, or where logs lie; return 0.

    Raises:
        UserError: if there is no such stage, attempt or log.
    """
    store = Store.open(args.store, writing=False)
    _, plan, key = find_stage(args.key, store, load_kinds())
    stage = plan.stages[key]
    store.bring_logs(stage)
    logs = store.logs(stage)
    if not logs:
        raise UserError(f"{stage.kind} {key[:12]} has no log: nobody has begun it by `rotlab run`")
    if args.attempt is not None:
        chosen = [log for log in logs if log.stem.startswith(args.attempt)]
        if not chosen:
            known = ", ".join(log.stem for log in logs)
            raise UserError(f"no attempt of {stage.kind} {key[:12]} is {args.attempt}: {known}")
    else:
        chosen = logs if args.all or args.list else logs[-1:]
    for log in (one for own in chosen for one in (own, *store.helper_logs(own))):
        if args.list:
            print(log)
        else:
            sys.stdout.write(log.read_text(encoding="utf-8", errors="replace"))
    return 0
