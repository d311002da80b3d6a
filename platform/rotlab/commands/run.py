"""`rotlab run`: bring the store to what a search space asks for."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rotlab.commands.concluding import add_report, run_to_end
from rotlab.commands.options import (
    add_artifacts,
    add_data,
    add_file,
    add_optuna,
    add_prices,
    add_store,
    add_tracking,
    an_amount,
)
from rotlab.execution.conduct.growth import Growth
from rotlab.execution.conduct.job import PENDING, Job
from rotlab.execution.conduct.notify import check_target
from rotlab.execution.conduct.policy import Policy
from rotlab.execution.search.contests import searches_of
from rotlab.execution.search.looking import Judge, Looking
from rotlab.execution.search.optuna_storage import optuna_storage
from rotlab.planning.cost.cost import seconds_of
from rotlab.planning.cost.costed import cost
from rotlab.planning.cost.prices import Prices, read_prices
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.planned import Planned, plan_file
from rotlab.planning.plan.weights import how_to_get
from rotlab.planning.space.budget import Budget
from rotlab.planning.stage import Resources, StageKind
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store
from rotlab.store.timings import timings
from rotnet.errors import UserError

HUNG_AFTER_MIN = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab run`."""
    add_file(parser)
    add_running(parser)
    add_optuna(parser)


def add_running(parser: argparse.ArgumentParser) -> None:
    """Add the options of whatever runs a study."""
    add_store(parser)
    add_tracking(parser)
    add_artifacts(parser)
    add_report(parser)
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
    _add_smoke(parser)
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
        "--weight",
        metavar="W",
        type=_weight,
        default=1.0,
        help="of the study among those that run on one cluster, given by --address, and keep their "
        "results in one store: what each gets of it while all have stages that wait [%(default)g]",
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
        type=an_amount("minutes"),
        default=HUNG_AFTER_MIN,
        help="minutes without a sign of life, after which a stage is ended and tried again; 0 "
        "waits for ever [%(default)g]",
    )
    parser.add_argument(
        "--keep-states",
        choices=("kind", "needed", "all"),
        default="kind",
        help="training states of finished stages that stay, for longer ones asked for later: as "
        "the kind has it (pretrain's), needed (none but those that the plan waits for) or all "
        "[%(default)s]",
    )
    parser.add_argument(
        "--notify",
        metavar="COMMAND|URL",
        type=_target,
        help="told when the study ends, and when 80 %% of a budget is used: a command gets JSON "
        "on its input, a URL a POST of it",
    )


def _add_smoke(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--smoke",
        action="store_const",
        const="first",
        default="no",
        help="first try each sort of stage in small: two steps, a checkpoint, on from there, a "
        "scoring; what has passed by the same code is not tried again",
    )
    which.add_argument(
        "--smoke-only",
        dest="smoke",
        action="store_const",
        const="only",
        help="try them, and run nothing",
    )


def run(args: argparse.Namespace) -> int:
    """Run what is missing of a study; return 0 if all is done, 1 if not, 130 if interrupted.

    Raises:
        UserError: before anything starts, if it cannot be run as asked.
    """
    planned = plan_file(args.file, args.data)
    kinds, spec = planned.kinds, planned.spec
    store = Store.open(args.store)
    searches = _growth(planned, store)
    whole = planned.imagined(Decisions())
    check_runnable(whole.plan, planned.root)
    prices = read_prices(args.prices) if args.prices else Prices()
    seconds, device = _expected(planned, store, prices)
    job = make_job(
        args,
        plan=planned.plan if searches is None else searches.plan,
        kinds=kinds,
        resources=_resources(whole.plan, kinds, spec.resources),
        text=spec.text,
        data={
            name: each.location
            for name, each in planned.datasets.items()
            if each.location is not None
        },
        store=store,
        budget=spec.budget,
        prices=prices,
        device=device,
    )
    if searches is not None and (
        args.smoke != "no" or any(one.measured for one in job.resources.values())
    ):
        book = DecisionBook(store.root)
        decided = book.read(planned.plan.tunings, planned.plan.families)
        job = replace(job, foreseen=planned.imagined(decided).plan)
    optuna = optuna_storage(args.optuna_storage, store.root) if spec.search else None
    job = replace(job, seconds=seconds, searches=searches, optuna=optuna, search=spec.search)
    return run_to_end(job, report=args.report)


def make_job(
    args: argparse.Namespace,
    *,
    plan: Plan,
    kinds: Mapping[str, StageKind],
    resources: Mapping[str, Resources],
    text: str,
    data: Mapping[str, Path | str],
    store: Store,
    budget: Budget,
    prices: Prices,
    device: str,
) -> Job:
    """Return the run of a study that the options of `add_running` ask for; the rest as in `Job`."""
    return Job(
        plan=plan,
        kinds=kinds,
        resources=resources,
        text=text,
        data=data,
        store=store,
        tracking_uri=args.tracking_uri,
        artifacts=args.artifacts,
        address=args.address,
        cpus=args.cpus,
        gpus=args.gpus,
        pending=args.pending,
        policy=Policy(budget=budget, same_errors=args.same_errors, concurrency=args.concurrency),
        keep_states=args.keep_states,
        hung_s=60 * args.hung_after or None,
        prices=prices,
        device=device,
        notify=args.notify,
        weight=args.weight,
        smoke=args.smoke,
        verbose=args.verbose,
        options=_given(args),
    )


def _growth(planned: Planned, store: Store) -> Growth | None:
    """What the plan grows by, where it does."""
    book = DecisionBook(store.root)
    search = planned.spec.search
    if search is not None:
        kinds, spec = planned.kinds, planned.spec
        return searches_of(planned.planner, search, kinds, store, spec.name, spec.resources)
    if planned.plan.families:
        return Looking(planned.planner, book, _judge())
    return None


def _judge() -> Judge:
    """Its statistics load pandas, which takes a moment: only where there are looks."""
    from rotlab.reporting.looking import verdicts

    return verdicts


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


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return weight


def _target(text: str) -> str:
    why = check_target(text)
    if why is not None:
        raise argparse.ArgumentTypeError(why)
    return text


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number, 0 or more, got {text!r}")
    return int(text)
