"""`rotlab cancel`: have the runs of a study end."""

import argparse
import time

from rotlab.commands.options import add_store, add_study
from rotlab.planning.space.names import unknown
from rotlab.store.courier import raise_sign
from rotlab.store.store import Store
from rotnet.errors import UserError

WAIT_S = 60.0
LOOK_EVERY_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab cancel`."""
    add_study(parser)
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the runs of a study to end, and wait for that; return 0.

    Raises:
        UserError: if there is no such study, nobody runs it, or its runs do not end in time.
    """
    store = Store.open(args.store)
    if args.study not in store.studies():
        said = unknown("study", args.study, store.studies())
        raise UserError(f"{said}; looked in {store.name}")
    holder = store.driver(args.study)
    if holder is None:
        raise UserError(f"study {args.study!r} is not being run")
    raise_sign(store.cancel_path(args.study))
    print(f"asked {holder} to end")
    end = time.monotonic() + WAIT_S
    while store.driver(args.study) is not None:
        if time.monotonic() > end:
            raise UserError(
                f"{holder} has not ended within {WAIT_S:g} s; it ends once it looks, or is stopped "
                "where it runs"
            )
        time.sleep(LOOK_EVERY_S)
    print("it has ended; `rotlab run` goes on from the last checkpoints")
    return 0
