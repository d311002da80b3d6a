"""`rotlab results`: what studies have found, from MLflow."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from rotlab.answer import results
from rotlab.commands.comparing import add_comparing, compared
from rotlab.commands.output import write_whole
from rotlab.reporting.comparison import Comparison
from rotlab.reporting.grid import grids
from rotlab.reporting.outside import Outside, beside, outside_of, read_outside
from rotlab.reporting.report import (
    print_report,
    report_markdown,
    report_text,
    tidy_csv,
    tidy_json,
    tidy_parquet,
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
    parser.add_argument(
        "studies", metavar="STUDY", nargs="+", help="names of studies, as in their search spaces"
    )
    parser.add_argument(
        "--where",
        metavar="FILTER",
        help="which cells, such as \"rotations == 4 and modality == 'fusion'\"",
    )
    parser.add_argument(
        "--format",
        choices=("table", "markdown", "csv", "json", "parquet", "latex", "html"),
        default="table",
        help="table and markdown compare the arms; csv, json and parquet list the cells; latex and "
        "html, and csv too, give a table with --rows and --columns",
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
        "--output", "-o", metavar="FILE", type=Path, help="write there instead of printing"
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="read all from MLflow: shows at once what was edited there in runs that had ended",
    )
    add_comparing(parser)


def run(args: argparse.Namespace) -> int:
    """Print, or write, studies' results; return 0.

    Raises:
        UserError: if MLflow holds no such study, the study no such metric, no cell is as the filter
            says, or a file cannot be read or written.
    """
    _check(args)
    frame = results(
        *args.studies,
        where=args.where,
        beside=args.beside,
        tracking_uri=args.tracking_uri,
        store=args.store,
        fresh=args.fresh,
    )
    if args.format == "parquet":
        write_whole(args.output, tidy_parquet(frame))
        return 0
    if args.format not in ("csv", "json") and args.where is not None and frame.empty:
        raise UserError(f"no cell is so: --where {args.where}")
    if _is_for_people(args):
        print_report(compared(frame, args, args.studies[0]), frame.attrs["question"], Console())
        return 0
    text = _text(frame, args)
    if args.output is None:
        print(text)
    else:
        write_whole(args.output, f"{text}\n".encode())
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse what does not go together."""
    if (args.rows is None) != (args.columns is None):
        raise UserError("--rows and --columns go together: name an axis with each")
    if args.format in ("latex", "html") and args.rows is None:
        raise UserError(f"--format {args.format} is a table of two axes: give --rows and --columns")
    if args.format in ("json", "parquet") and args.rows is not None:
        can = ", ".join(_GRIDS)
        raise UserError(f"--format {args.format} lists cells: with --rows it can be {can}")
    if args.format == "parquet" and args.output is None:
        raise UserError("--format parquet needs --output FILE")
    if args.published and args.format not in ("table", "markdown"):
        raise UserError("--published goes with --format table or markdown")
    if args.test_set and len(args.studies) > 1:
        raise UserError("--test-set is of one study; name a single one")


def _is_for_people(args: argparse.Namespace) -> bool:
    """Whether a terminal is to show the plain comparison and nothing else."""
    is_plain = args.format == "table" and args.rows is None
    beside_it = args.published or args.beside
    return is_plain and not beside_it and args.output is None and sys.stdout.isatty()


def _text(frame: pd.DataFrame, args: argparse.Namespace) -> str:
    if args.format in ("csv", "json") and args.rows is None:
        return tidy_csv(frame) if args.format == "csv" else tidy_json(frame)
    comparisons = compared(frame, args, args.studies[0])
    if args.rows is not None:
        made = [_GRIDS[args.format](grid) for grid in grids(comparisons, args.rows, args.columns)]
    else:
        report = report_markdown if args.format == "markdown" else report_text
        made = [report(comparisons, frame.attrs["question"])]
    if args.format in ("table", "markdown"):
        outside = [*(read_outside() if args.published else ()), *_own(frame, args)]
        made += _outside(comparisons, outside, args.format) if outside else []
    return "\n\n".join(made)


def _own(frame: pd.DataFrame, args: argparse.Namespace) -> list[Outside]:
    return outside_of(frame) if args.beside else []


def _outside(
    comparisons: Sequence[Comparison], outside: Sequence[Outside], form: str
) -> Iterator[str]:
    """Other people's numbers on each target."""
    for comparison in comparisons:
        title = f"{comparison.target}, {comparison.measure}: {comparison.metric}"
        held = beside(comparison, outside)
        shown = outside_markdown if form == "markdown" else outside_text
        yield f"{title}: {shown(held) if held else 'no numbers of others'}"
