"""`rotlab cluster`: whether a cluster file is in order, and what it costs."""

import argparse
import sys
from pathlib import Path

from rotlab.cluster.check import check_file
from rotlab.cluster.fits import fits, unsaid
from rotlab.cluster.hourly import hourly
from rotlab.cluster.layout import Layout
from rotlab.commands.options import add_data, add_prices
from rotlab.planning.cost.prices import read_prices
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.stage import Resources


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab cluster check`."""
    parser.add_argument("action", metavar="check", choices=("check",), help="check a cluster file")
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="for `ray up` on AWS or Google Cloud, or a RayCluster or RayJob of KubeRay's",
    )
    parser.add_argument(
        "--for",
        dest="space",
        metavar="SPACE",
        type=Path,
        help="a search space, whose stages some node must be able to hold",
    )
    add_prices(parser)
    add_data(parser)


def run(args: argparse.Namespace) -> int:
    """Print what a cluster file comes to; return 0.

    Raises:
        UserError: with all that is wrong with it.
    """
    checked = check_file(args.file)
    layout = checked.layout
    wanted = _wanted(args.space, args.data) if args.space else {}
    held = fits(layout, wanted)
    priced = read_prices(args.prices) if args.prices else None
    cost = hourly(layout, priced.nodes) if priced else None
    warnings = [f"{args.file}: {warning}" for warning in checked.warnings]
    if said := unsaid(layout, wanted):
        warnings.append(f"{args.space}: {said}")
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    number = len(warnings)
    print(f"ok: {_outline(layout)}, {number} warning{'' if number == 1 else 's'}")
    for kind, names in held.items():
        print(f"  {kind} fits on {', '.join(names)}")
    if priced and cost:
        print(
            f"an hour costs {cost.least:,.2f} {priced.currency} without work, and at most "
            f"{cost.most:,.2f} {priced.currency} ({cost.nodes} nodes), by {args.prices}; disks, "
            "storage and traffic are not in it"
        )
    return 0


def _wanted(space: Path, data: Path | str | None) -> dict[str, Resources]:
    planned = plan_file(space, data)
    asked, kinds = planned.spec.resources, planned.kinds
    return {kind: asked.get(kind, kinds[kind].resources) for kind in planned.plan.count_by_kind()}


def _outline(layout: Layout) -> str:
    workers = layout.workers
    low = sum(node.low for node in workers)
    high = min(layout.most_workers, sum(node.high for node in workers))
    spot = sum(node.market == "spot" for node in workers)
    return f"a head, and {low} to {high} workers of {len(workers)} types, {spot} of them spot"
