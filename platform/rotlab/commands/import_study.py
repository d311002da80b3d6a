"""`rotlab import`: put a study that `rotlab export` wrote into a store."""

import argparse
import secrets
import shlex
import shutil
from pathlib import Path

from rotlab.commands.options import add_store, add_tracking
from rotlab.execution.conduct.replay import replay
from rotlab.planning.kinds import load_kinds
from rotlab.store.gate import counting
from rotlab.store.layout import IMPORT
from rotlab.store.placing import BY, Placed, check_study, place
from rotlab.store.shelf import tracking_uri_of
from rotlab.store.store import Store
from rotlab.store.unpack import unpack
from rotnet.errors import UserError

_LEFT_OUT = {
    "other": "the store has another result of the same work, which stays",
    "withdrawn": "this result was withdrawn in this store",
    "busy": "somebody works at the stage; import again once that is over",
    "orphaned": "it was made from a result that was left out",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab import`."""
    parser.add_argument("file", metavar="FILE", type=Path, help="that `rotlab export` wrote")
    add_store(parser)
    add_tracking(parser)


def run(args: argparse.Namespace) -> int:
    """Check a file and put its study into the store; return 0.

    Raises:
        UserError: before anything changes, if the file is damaged, the store has another study of
            the name, or nothing says where MLflow is; afterwards, if that cannot be reached.
    """
    store = Store.open(args.store)
    uri = tracking_uri_of(store, args.tracking_uri)
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        staging = store.root / f"{IMPORT}{secrets.token_hex(6)}"
        with counting(store.root) as check:
            try:
                staging.mkdir()
                bundle = unpack(args.file, staging)
                plan = bundle.study.load_plan(load_kinds())
                check_study(bundle, store)
                placed = place(bundle, store, check)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"{store.name}: {error.strerror or error}; nothing is half there"
        ) from error
    _say(placed, store, plan.name)
    _track(store, plan.name, uri)
    where = () if args.store is None else ("--store", args.store)
    print(f"results: {shlex.join(['rotlab', 'results', plan.name, *where])}")
    return 0


def _track(store: Store, name: str, uri: str) -> None:
    """Tell MLflow of a study, unless a run has begun that does."""
    with store.driving(name, secrets.token_hex(6), BY) as other:
        study = store.study(name)
        if other is not None or study is None:
            print(f"MLflow is not told of {name}, which is held by {other}; the next run does it")
            return
        unsent, why = replay(store, study, load_kinds(), uri)
    if unsent:
        print(f"warning: {unsent} events have not reached MLflow: {why}; the next run sends them")


def _say(placed: Placed, store: Store, name: str) -> None:
    there = len(placed.same) + len(placed.filled)
    print(f"{name}: {len(placed.added)} results added to {store.name}, {there} were there already")
    if placed.filled:
        print(f"{len(placed.filled)} of them lacked files, which were added")
    for sort, why in _LEFT_OUT.items():
        keys = getattr(placed, sort)
        if keys:
            more = ", ..." if len(keys) > 1 else ""
            print(f"{len(keys)} left out: {why}: {keys[0][:12]}{more}")
