"""`rotlab results`: what a study has found, from MLflow."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rotlab.commands.baseline import baseline_of
from rotlab.commands.options import add_data, add_random_splits, add_store, add_study, add_tracking
from rotlab.execution.store import Store
from rotlab.planning.datasets import data_root
from rotlab.reporting.comparison import Comparison, compare
from rotlab.reporting.grid import grids
from rotlab.reporting.held import with_test_sets
from rotlab.reporting.outside import Outside, beside, outside_of, read_outside
from rotlab.reporting.report import (
    print_report,
    report_markdown,
    report_text,
    tidy_csv,
    tidy_json,
)
from rotlab.reporting.typeset import (
    grid_csv,
    grid_html,
    grid_latex,
    grid_markdown,
    grid_text,
    outside_markdown,
    outside_text,
)
from rotlab.tracking.query import results
from rotlab.tracking.uri import default_tracking_uri
from rotnet.errors import UserError

_GRIDS = {
    "table": grid_text,
    "markdown": grid_markdown,
    "latex": grid_latex,
    "csv": grid_csv,
    "html": grid_html,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab results`."""
    add_study(parser)
    parser.add_argument(
        "--format",
        choices=("table", "markdown", "csv", "json", "latex", "html"),
        default="table",
        help="table and markdown compare the arms; csv and json list the cells; latex and html, "
        "and csv too, give a table with --rows and --columns",
    )
    parser.add_argument(
        "--rows", metavar="AXIS", help='an axis, or "target": a paper\'s table, with --columns'
    )
    parser.add_argument("--columns", metavar="AXIS", help="another, side by side")
    parser.add_argument(
        "--published",
        action="store_true",
        help="show published numbers on the same data sets, with their sources",
    )
    parser.add_argument(
        "--beside",
        metavar="FILE",
        type=Path,
        help="show numbers of a CSV file: method, target, metric, value (shares in per cent), "
        "source; and measure, network, input, pretrained_on where you have them",
    )
    parser.add_argument(
        "--metric",
        help="what to compare (default: each measure's own: accuracy, recall_at_1 of a retrieval)",
    )
    parser.add_argument(
        "--baseline",
        metavar="AXIS=VALUE[,AXIS=VALUE]",
        help="what the other arms are set against (default: the search space's own, "
        "else init=scratch, else the random network)",
    )
    parser.add_argument(
        "--test-set",
        action="store_true",
        help="say what holds for other test videos too, from the scores in the store and the "
        "groups of videos in the prepared set",
    )
    add_random_splits(parser)
    add_data(parser)
    add_store(parser)
    add_tracking(parser)


def run(args: argparse.Namespace) -> int:
    """Print a study's results; return 0.

    Raises:
        UserError: if MLflow holds no such study, or the study no such metric.
    """
    is_grid = _asks_for_grid(args)
    outside = _outside(args)
    store = Store.open(args.store, writing=False)
    uri = args.tracking_uri or default_tracking_uri(store.root)
    frame = results(args.study, uri)
    if args.format in ("csv", "json") and not is_grid:
        print(tidy_csv(frame) if args.format == "csv" else tidy_json(frame))
        return 0
    comparisons = compare(
        frame,
        args.metric,
        baseline_of(args.baseline) or frame.attrs["baseline"] or None,
        args.random_splits,
    )
    if args.test_set:
        data = data_root(args.data)
        comparisons = [with_test_sets(one, frame, store, args.study, data) for one in comparisons]
    if is_grid:
        made = [_GRIDS[args.format](grid) for grid in grids(comparisons, args.rows, args.columns)]
        print("\n\n".join(made))
    else:
        _print_comparisons(comparisons, frame.attrs["question"], args.format)
    outside += outside_of(frame)
    if outside and not (is_grid and args.format not in ("table", "markdown")):
        _print_outside(comparisons, outside, args.format)
    return 0


def _asks_for_grid(args: argparse.Namespace) -> bool:
    """Say whether two axes are named, and refuse what does not go together."""
    if (args.rows is None) != (args.columns is None):
        raise UserError("--rows and --columns go together: name an axis with each")
    is_grid = args.rows is not None
    if args.format in ("latex", "html") and not is_grid:
        raise UserError(f"--format {args.format} is a table of two axes: give --rows and --columns")
    if args.format == "json" and is_grid:
        raise UserError(f"--format json lists cells: with --rows it can be {', '.join(_GRIDS)}")
    return is_grid


def _outside(args: argparse.Namespace) -> list[Outside]:
    if (args.published or args.beside) and args.format not in ("table", "markdown"):
        raise UserError("--published and --beside go with --format table or markdown")
    return [
        *(read_outside() if args.published else ()),
        *(read_outside(args.beside) if args.beside else ()),
    ]


def _print_comparisons(comparisons: list[Comparison], question: str, form: str) -> None:
    if form == "markdown":
        print(report_markdown(comparisons, question))
    elif sys.stdout.isatty():
        print_report(comparisons, question, Console())
    else:
        print(report_text(comparisons, question))


def _print_outside(comparisons: list[Comparison], outside: Sequence[Outside], form: str) -> None:
    for comparison in comparisons:
        title = f"{comparison.target}, {comparison.measure}: {comparison.metric}"
        held = beside(comparison, outside)
        shown = outside_markdown if form == "markdown" else outside_text
        print(f"\n{title}: {shown(held) if held else 'no numbers of others'}")
