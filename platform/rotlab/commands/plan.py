"""`rotlab plan`: what a search space would run, what that costs, and what sharing saves."""

import argparse
import json
from collections import Counter
from dataclasses import replace

from rotlab.commands.options import add_data, add_file, add_prices, add_store
from rotlab.execution.conduct.peaks import Peaks
from rotlab.execution.conduct.shares import Shares
from rotlab.planning.cost.costed import cost
from rotlab.planning.cost.foreseen import foresee
from rotlab.planning.cost.prices import Prices, read_prices
from rotlab.planning.outline.looks_outline import Least
from rotlab.planning.outline.outline import outline, outline_json
from rotlab.planning.plan.planned import Planned, plan_file
from rotlab.planning.release.scenario import OPTIONS, parse_scenario
from rotlab.planning.release.simulated import simulate_plan
from rotlab.store.decision_book import DecisionBook
from rotlab.store.store import Store
from rotlab.store.timings import timings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab plan`."""
    add_file(parser)
    parser.add_argument("--json", action="store_true", help="for a program to read")
    add_prices(parser)
    parser.add_argument(
        "--device",
        metavar="NAME",
        help="to reckon with, such as A100 or cpu (default: the price file's, else that of the "
        "records, else what the recipe is for)",
    )
    parser.add_argument(
        "--simulate",
        metavar="CLUSTER",
        type=parse_scenario,
        help='run what is missing in virtual time, such as on "gpus=64 spot_mtbf=6h": '
        f"{', '.join(OPTIONS)}; times in s, m, h",
    )
    add_data(parser)
    add_store(parser)


def run(args: argparse.Namespace) -> int:
    """Print the plan; return 0.

    Raises:
        UserError: the search space, a data set, the price file or the store is not in order.
    """
    prices = read_prices(args.prices) if args.prices else Prices()
    store = Store.open(args.store, writing=False)
    planned = plan_file(args.file, args.data)
    decisions = DecisionBook(store.root).read(planned.plan.tunings, planned.plan.families)
    fewest = planned.imagined(decisions, most=False) if planned.plan.families else None
    whole = planned.imagined(decisions)
    timed = list(timings(store.all_records(whole.plan.count_by_kind()), planned.kinds))
    planned = foresee(planned, decisions, timed, prices, args.device)
    planned, shared = _with_shares(planned, store)
    stages = planned.plan.stages
    records = store.records(stages.values())
    done = Counter(stages[key].kind for key in records)
    costed = cost(planned, records, timed, prices, args.device)
    costed = replace(costed, assumed=(*costed.assumed, *shared))
    simulated = None
    if args.simulate is not None:
        simulated = simulate_plan(planned, costed, records, args.simulate)
    least = None
    if fewest is not None:
        below = cost(fewest, records, timed, prices, args.device)
        missing = len(fewest.plan.stages.keys() - records.keys())
        fast = args.simulate and simulate_plan(fewest, below, records, args.simulate)
        least = Least(fewest, decisions.looks, missing, below, fast)
    if args.json:
        print(json.dumps(outline_json(planned, done, costed, simulated, least), indent=2))
    else:
        print(outline(planned, done, costed, simulated, least))
    return 0


def _with_shares(planned: Planned, store: Store) -> tuple[Planned, list[str]]:
    """Return a plan with the shares of a device that were measured, and what is to be said of them.

    They are reckoned with where each stage of a kind was measured; else a whole device is.
    """
    asked = planned.spec.resources
    whole = {k: one.resolved(has_gpu=True) for k, one in asked.items() if one.measured}
    if not whole:
        return planned, []
    shares = Shares(Peaks(store.peaks_folder(), planned.kinds), planned.kinds, whole, None)
    resources = {**asked, **whole, **shares.of_kinds(planned.plan)}
    lines = shares.lines(planned.plan, planned.plan.stages)
    return replace(planned, spec=replace(planned.spec, resources=resources)), lines
