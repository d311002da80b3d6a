"""`rotlab run-stage`: do one stage of a study in this process, to see what it does."""

import argparse
import pdb
import traceback
from collections.abc import Mapping
from pathlib import Path

from rotlab.commands.options import add_data, add_stage, add_store
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.datasets import data_root
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import StageKind
from rotlab.store.find import find_stage
from rotlab.store.lease import HeldElsewhereError
from rotlab.store.revisit import check_key, locate
from rotlab.store.store import Store
from rotnet.errors import UserError
from rotnet.learning.watch import Unwatched


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab run-stage`."""
    add_stage(parser)
    parser.add_argument(
        "--local", action="store_true", required=True, help="in this process, without Ray"
    )
    parser.add_argument("--pdb", action="store_true", help="stop in the debugger where it fails")
    add_store(parser)
    add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Do a stage and print its metrics; return 0, or 1 after the traceback of one that fails.

    Raises:
        UserError: if no stage, or more than one, has the key, or stages it needs are not done.
    """
    return run_stage(
        args.key, Store.open(args.store), load_kinds(), data_root(args.data), debug=args.pdb
    )


class PrintedWatch(Unwatched):
    """A watch that prints what it hears, and lets a stage go on."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Print the metrics of a step."""
        print(f"step {step}", *(f"{name} {value:.4g}" for name, value in metrics.items()), sep="  ")


def run_stage(
    key: str, store: Store, kinds: Mapping[str, StageKind], root: Path | str, *, debug: bool = False
) -> int:
    """Do the stage whose key begins so.

    Args:
        key: of the stage, or its first characters.
        store: where studies and results lie.
        kinds: kind -> what it is.
        root: where prepared data sets lie.
        debug: whether to stop in the debugger where it fails.

    Raises:
        UserError: if no stage, or more than one, has the key, if it was planned for another version
            of the code, or if stages it needs are not done.
    """
    study, plan, found = find_stage(key, store, kinds)
    stage = plan.stages[found]
    done = store.record(stage.key, stage.kind)
    if done is not None:
        print(f"{stage.kind} {stage.key} is done: {store.result_folder(done)}")
        return 0
    check_key(stage, kinds[stage.kind], study)
    _check_parents(plan, found, store)
    data = dict(locate([stage], root))
    cpus = {kind: each.each.cpus for kind, each in study.resources.items()}
    work = Work(
        plan.stages,
        kinds,
        data,
        store.root,
        cpus,
        continues=plan.continues,
        to_go_on=plan.to_go_on,
    )
    try:
        gpus = study.resources[stage.kind].each.gpus
        record = perform(found, work, PrintedWatch(), gpus=gpus)
    except HeldElsewhereError as held:
        raise UserError(
            f"{stage.kind} {stage.key[:12]} is worked at by another run ({held}): wait for it, "
            f"or end that with `rotlab cancel {study.name}`"
        ) from held
    except Exception as error:  # noqa: BLE001  (whatever the stage raises is what is to be seen)
        traceback.print_exc()
        if debug:
            pdb.post_mortem(error.__traceback__)
        return 1
    for name, value in record.metrics.items():
        print(f"{name} {value:g}")
    if record.continued is not None:
        print(f"went on from {stage.kind} {record.continued[:12]}")
    if record.not_continued is not None:
        print(f"did not go on from a shorter training: {record.not_continued}")
    print(f"{stage.kind} {stage.key} is done: {store.result_folder(record)}")
    return 0


def _check_parents(plan: Plan, key: str, store: Store) -> None:
    needed: set[str] = {key}
    for each in reversed(tuple(plan.stages)):
        if each in needed:
            needed.update(plan.stages[each].inputs.values())
    missing = [
        each
        for each in plan.stages
        if each in needed - {key} and store.record(each, plan.stages[each].kind) is None
    ]
    if missing:
        raise UserError(
            f"{plan.stages[key].kind} {key[:12]} needs the results of {len(missing)} stages; "
            "run these first, in this order: "
            + ", ".join(f"{plan.stages[each].kind} {each[:12]}" for each in missing)
        )
