"""`rotlab results`: what a study has found, from MLflow."""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from rotlab.commands.options import add_store, add_study, add_tracking
from rotlab.execution.store import Store
from rotlab.reporting.comparison import compare
from rotlab.reporting.report import (
    print_report,
    report_markdown,
    report_text,
    tidy_csv,
    tidy_json,
)
from rotlab.tracking.query import results
from rotlab.tracking.roster import NULL
from rotlab.tracking.uri import default_tracking_uri
from rotnet.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab results`."""
    add_study(parser)
    parser.add_argument(
        "--format",
        choices=("table", "markdown", "csv", "json"),
        default="table",
        help="table and markdown compare the arms; csv and json list the cells",
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
    """Print a study's results; return 0.

    Raises:
        UserError: if MLflow holds no such study, or the study no such metric.
    """
    uri = args.tracking_uri or default_tracking_uri(Store.open(args.store, writing=False).root)
    frame = results(args.study, uri)
    if args.format == "csv":
        print(tidy_csv(frame))
    elif args.format == "json":
        print(tidy_json(frame))
    else:
        comparisons, question = (
            compare(
                frame, args.metric, _baseline(args.baseline) or frame.attrs["baseline"] or None
            ),
            frame.attrs["question"],
        )
        if args.format == "markdown":
            print(report_markdown(comparisons, question))
        elif sys.stdout.isatty():
            print_report(comparisons, question, Console())
        else:
            print(report_text(comparisons, question))
    return 0


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
