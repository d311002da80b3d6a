"""`rotlab retry`: try stages again that were given up, these alone, perhaps with a larger share."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from rotlab.commands.concluding import run_to_end
from rotlab.commands.options import add_study
from rotlab.commands.run import add_running, make_job
from rotlab.planning.cost.devices import CPU
from rotlab.planning.cost.prices import Prices, read_prices
from rotlab.planning.datasets import data_root
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.plan import Plan
from rotlab.planning.space.budget import Budget
from rotlab.planning.space.names import unknown
from rotlab.planning.space.occupancy import Occupied
from rotlab.planning.space.refusals import refusals
from rotlab.planning.stage import Resources
from rotlab.store.added import load_grown
from rotlab.store.condition import Condition, read_condition
from rotlab.store.revisit import FACTS, check_key, locate, meant
from rotlab.store.store import Store
from rotlab.tracking.journal import Event, Journal
from rotlab.tracking.past import in_order, look_back
from rotnet.errors import UserError

DESCRIPTION = """\
Try stages again that a run has given up: these and what they need, and nothing else of the study.
`rotlab run FILE` tries all of them again, with all else that is missing; this is for some of them,
for a larger share, and where the file is not at hand. The study's last budget holds.
"""

_WORDS = ("cpus", "gpus")  # how many processes compute a stage stays as its study has it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab retry`."""
    parser.description = DESCRIPTION
    add_study(parser)
    parser.add_argument(
        "keys",
        metavar="KEY",
        nargs="*",
        help="of a stage, or its first characters (default: all that were given up)",
    )
    parser.add_argument(
        "--where",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_condition,
        help='those that are so: kind, cause of the failure (as "gpu memory"), or a setting such '
        "as pretrain.lr; given several times, all have to hold",
    )
    parser.add_argument(
        "--resources",
        metavar="NAME=VALUE[,NAME=VALUE]",
        type=_share,
        default={},
        help="what each of them occupies this time, such as cpus=4 or gpus=1; no result depends "
        "on it: threads stay as they were",
    )
    parser.add_argument(
        "--dependents", action="store_true", help="and then what is made from them, too"
    )
    add_running(parser)


def run(args: argparse.Namespace) -> int:
    """Try stages again; return 0 if they are done, 1 if not, 130 if interrupted.

    Raises:
        UserError: before anything starts, if nothing is meant or it cannot be run.
    """
    store, kinds = Store.open(args.store), load_kinds()
    study = store.study(args.study)
    if study is None:
        said = unknown("study", args.study, store.studies())
        raise UserError(f"{said}; looked in {store.name}")
    plan = load_grown(store, study, kinds)
    events = in_order(Journal(path).read() for path in store.journals(args.study))
    done = store.records(plan.stages.values())
    again = meant(plan, done, look_back(events), args.keys, args.where)
    only = plan.inputs_of(plan.outcomes_of(again) if args.dependents else again)
    missing = [plan.stages[key] for key in plan.stages if key in only and key not in done]
    for stage in missing:
        check_key(stage, kinds[stage.kind], study)
    prices = read_prices(args.prices) if args.prices else Prices()
    job = make_job(
        args,
        plan=plan,
        kinds=kinds,
        resources=study.resources,
        text=study.text,
        data=locate(missing, data_root(args.data)),
        store=store,
        budget=_last_budget(events),
        prices=prices,
        device=prices.device or CPU,
    )
    shares = _shares(plan, again, study.resources, args.resources)
    job = replace(job, only=frozenset(only), shares=shares)
    print(f"{len(again)} to be tried again, with {len(missing) - len(again)} that belong to them")
    return run_to_end(job, report=args.report)


def _shares(
    plan: Plan,
    again: Iterable[str],
    resources: Mapping[str, Resources],
    wanted: Mapping[str, Any],
) -> dict[str, Resources]:
    if not wanted:
        return {}
    found = {}
    for key in again:
        own = resources[plan.stages[key].kind]
        is_measured = own.measured and "gpus" not in wanted
        found[key] = replace(own, **wanted, measured=is_measured)
    for key, each in found.items():
        if not each.is_even:
            count = each.processes
            raise UserError(
                f"--resources: a {plan.stages[key].kind} is computed by {count} processes here: "
                f"cpus must be a multiple of {count}, and gpus {count} or 0, got cpus={each.cpus}"
                + ("" if each.gpus is None else f",gpus={each.gpus:g}")
            )
    return found


def _last_budget(events: Iterable[Event]) -> Budget:
    """The budget that the study was last run with; none where no run has told any."""
    found = Budget()
    for event in events:
        if event["event"] == "study_started" and "budget" in event:
            found = Budget(**event["budget"])
    return found


def _condition(text: str) -> Condition:
    try:
        return read_condition(text, FACTS)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _share(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or name not in _WORDS:
            known = ", ".join(f"{word}=N" for word in _WORDS)
            raise argparse.ArgumentTypeError(f"must be {known} or both, got {part!r}")
        try:
            found[name] = float(value) if name == "gpus" else int(value)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name} must be a number, got {value!r}") from None
    try:
        Occupied.model_validate(found)
    except ValidationError as error:
        said = "; ".join(f"{one.field} {one.text}" for one in refusals(error, found, Occupied))
        raise argparse.ArgumentTypeError(said) from error
    gpus = found.get("gpus", 0.0)
    if gpus > 1 and gpus != int(gpus):
        raise argparse.ArgumentTypeError(f"more than one device are whole ones, got gpus={gpus:g}")
    return found
