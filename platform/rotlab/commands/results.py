"""`rotlab results`: what studies have found, from MLflow."""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from rotlab.answer import results
from rotlab.commands.options import add_store, add_tracking
from rotlab.reporting.comparison import Comparison, compare
from rotlab.reporting.report import (
    print_report,
    report_markdown,
    report_text,
    tidy_csv,
    tidy_json,
    tidy_parquet,
)
from rotlab.tracking.roster import NULL
from rotnet.errors import UserError


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
        "--beside",
        metavar="CSV",
        type=Path,
        help="other people's numbers, as rows: columns are axes, target, metrics and source",
    )
    parser.add_argument(
        "--format",
        choices=("table", "markdown", "csv", "json", "parquet"),
        default="table",
        help="table and markdown compare the arms; csv, json and parquet list the cells",
    )
    parser.add_argument(
        "--output", "-o", metavar="FILE", type=Path, help="write there instead of printing"
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="read all from MLflow: shows at once what was edited there in runs that had ended",
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
    add_store(parser)
    add_tracking(parser)


def run(args: argparse.Namespace) -> int:
    """Print, or write, studies' results; return 0.

    Raises:
        UserError: if MLflow holds no such study, the study no such metric, no cell is as the filter
            says, or a file cannot be read or written.
    """
    frame = results(
        *args.studies,
        where=args.where,
        beside=args.beside,
        tracking_uri=args.tracking_uri,
        store=args.store,
        fresh=args.fresh,
    )
    if args.format == "parquet":
        if args.output is None:
            raise UserError("--format parquet needs --output FILE")
        _write(args.output, tidy_parquet(frame))
        return 0
    if args.format in ("table", "markdown") and args.where is not None and frame.empty:
        raise UserError(f"no cell is so: --where {args.where}")
    if args.format == "table" and args.output is None and sys.stdout.isatty():
        print_report(*_answer(frame, args), Console())
        return 0
    text = _text(frame, args)
    if args.output is None:
        print(text)
    else:
        _write(args.output, f"{text}\n".encode())
    return 0


def _text(frame: pd.DataFrame, args: argparse.Namespace) -> str:
    match args.format:
        case "csv":
            return tidy_csv(frame)
        case "json":
            return tidy_json(frame)
        case "markdown":
            return report_markdown(*_answer(frame, args))
        case _:
            return report_text(*_answer(frame, args))


def _answer(frame: pd.DataFrame, args: argparse.Namespace) -> tuple[list[Comparison], str]:
    baseline = _baseline(args.baseline) or frame.attrs["baseline"] or None
    return compare(frame, args.metric, baseline), frame.attrs["question"]


def _write(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror}") from error


def _baseline(given: str | None) -> Mapping[str, Any] | None:
    """Return axis -> value; a value is JSON where it can be read so, else text; null is "none"."""
    if given is None:
        return None
    found: dict[str, Any] = {}
    for part in re.split(r",(?=\s*[\w.]+\s*=)", given):  # a set's own commas do not divide
        axis, equals, text = (word.strip() for word in part.partition("="))
        if not equals or not axis:
            raise UserError(f"--baseline {given}: write it as AXIS=VALUE[,AXIS=VALUE]")
        try:
            value = json.loads(text)
            found[axis] = NULL if value is None else value
        except ValueError:
            found[axis] = text
    return found
