"""`rotlab run`: bring the store to what a search space asks for."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from rotlab.commands.options import add_data, add_file, add_prices, add_store, add_tracking
from rotlab.execution.conduct import Policy
from rotlab.execution.job import PENDING, Job
from rotlab.execution.notify import check_target
from rotlab.execution.run import run_job
from rotlab.execution.store import Store
from rotlab.execution.timings import timings
from rotlab.planning.cost import seconds_of
from rotlab.planning.costed import cost
from rotlab.planning.plan import Plan
from rotlab.planning.planned import Planned, plan_file
from rotlab.planning.prices import Prices, read_prices
from rotlab.planning.stage import Resources, StageKind
from rotlab.planning.weights import how_to_get
from rotnet.errors import UserError

HUNG_AFTER_MIN = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab run`."""
    add_file(parser)
    add_store(parser)
    add_tracking(parser)
    add_prices(parser)
    parser.add_argument(
        "--address",
        metavar="RAY",
        help="of a Ray cluster (default: one is started on this machine)",
    )
    parser.add_argument(
        "--gpus", metavar="N", type=_count, help="GPUs of one started here (default: all)"
    )
    parser.add_argument(
        "--cpus", metavar="N", type=_positive, help="cores of one started here (default: all)"
    )
    add_data(parser)
    add_rules(parser)
    parser.add_argument("--verbose", action="store_true", help="let Ray and the workers talk")


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a study is run, not where."""
    parser.add_argument(
        "--concurrency",
        metavar="N",
        type=_positive,
        help="stages at once, at most (default: as many as fit)",
    )
    parser.add_argument(
        "--pending",
        metavar="N",
        type=_count,
        default=PENDING,
        help="stages that wait for room on a cluster given by --address, so that it grows "
        "[%(default)s]",
    )
    parser.add_argument(
        "--same-errors",
        metavar="N",
        type=_count,
        default=Policy().same_errors,
        help="the same error in so many stages stops the study; 0 never does [%(default)s]",
    )
    parser.add_argument(
        "--hung-after",
        metavar="MIN",
        type=_minutes,
        default=HUNG_AFTER_MIN,
        help="minutes without a sign of life, after which a stage is ended and tried again; 0 "
        "waits for ever [%(default)g]",
    )
    parser.add_argument(
        "--notify",
        metavar="COMMAND|URL",
        type=_target,
        help="told when the study ends, and when 80 %% of a budget is used: a command gets JSON "
        "on its input, a URL a POST of it",
    )


def run(args: argparse.Namespace) -> int:
    """Run what is missing of a study; return 0 if all is done, 1 if not, 130 if interrupted.

    Raises:
        UserError: before anything starts, if it cannot be run as asked.
    """
    planned = plan_file(args.file, args.data)
    plan, kinds, spec = planned.plan, planned.kinds, planned.spec
    check_runnable(plan, planned.root)
    store = Store.open(args.store)
    prices = read_prices(args.prices) if args.prices else Prices()
    seconds, device = _expected(planned, store, prices)
    job = Job(
        plan=plan,
        kinds=kinds,
        resources=_resources(plan, kinds, spec.resources),
        text=spec.text,
        data={
            name: each.location
            for name, each in planned.datasets.items()
            if each.location is not None
        },
        store=store,
        seconds=seconds,
        tracking_uri=args.tracking_uri,
        address=args.address,
        cpus=args.cpus,
        gpus=args.gpus,
        pending=args.pending,
        policy=Policy(
            budget=spec.budget,
            same_errors=args.same_errors,
            concurrency=args.concurrency,
        ),
        hung_s=60 * args.hung_after or None,
        prices=prices,
        device=device,
        notify=args.notify,
        verbose=args.verbose,
        options=_given(args),
    )
    return run_job(job, Console(stderr=True), print)


def _expected(planned: Planned, store: Store, prices: Prices) -> tuple[dict[str, float], str]:
    """How long stages are thought to take, where that is known, and the device of that."""
    records = store.records(planned.plan.stages.values())
    timed = list(timings(store.all_records(planned.plan.count_by_kind()), planned.kinds))
    costed = cost(planned, records, timed, prices, None)
    return seconds_of(costed.estimates), costed.bill.machine.device.name


def check_runnable(plan: Plan, root: Path | str) -> None:
    """Return if nothing stands in the way of a plan's stages.

    Args:
        plan: to be run.
        root: where data sets were looked for.

    Raises:
        UserError: naming absent data sets and how to prepare them, or why stages cannot run.
    """
    if plan.unsupported:
        reasons = "; ".join(dict.fromkeys(plan.unsupported.values()))
        raise UserError(
            f"{len(plan.unsupported)} of {len(plan.stages)} stages cannot be run: {reasons}"
        )
    if plan.absent:
        each = "; ".join(f"{name} ({how_to_get(plan, name, root)})" for name in plan.absent)
        raise UserError(f"not prepared under {root}: {each}; or give --data another folder")


def _resources(
    plan: Plan, kinds: Mapping[str, StageKind], asked: Mapping[str, Resources]
) -> dict[str, Resources]:
    return {kind: asked.get(kind, kinds[kind].resources) for kind in plan.count_by_kind()}


def _given(args: argparse.Namespace) -> tuple[str, ...]:
    """The options that `rotlab run-stage` shares, as they were given."""
    pairs = (("--store", args.store), ("--data", args.data))
    return tuple(word for name, value in pairs if value is not None for word in (name, str(value)))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, got {text!r}")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of minutes, 0 or more, got {text!r}")
    return minutes


def _target(text: str) -> str:
    why = check_target(text)
    if why is not None:
        raise argparse.ArgumentTypeError(why)
    return text


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, got {text!r}")
    return int(text)
