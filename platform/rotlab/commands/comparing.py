"""How a study's arms are to be compared: the options for it, and the comparison that they ask for.

`rotlab results` and `rotlab report` give the same answer to the same options.
"""

import argparse
from pathlib import Path

import pandas as pd

from rotlab.commands.baseline import baseline_of
from rotlab.commands.options import add_data, add_store, add_tracking
from rotlab.planning.datasets import data_root
from rotlab.reporting.comparison import Comparison, compare
from rotlab.reporting.held import with_test_sets
from rotlab.store.store import Store


def add_comparing(parser: argparse.ArgumentParser) -> None:
    """Add what says which numbers are compared, with what, and where they lie."""
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
        "--beside",
        metavar="CSV",
        type=Path,
        help="other people's numbers: columns are axes, target, measure, metrics and source",
    )
    parser.add_argument(
        "--test-set",
        action="store_true",
        help="say what holds for other test videos too, from the scores in the store and the "
        "groups of videos in the prepared set",
    )
    parser.add_argument(
        "--random-splits",
        metavar="SHARE",
        type=_share,
        help="splits are drawn at random, and each tests on this share of the videos: arms of one "
        "seed are compared over splits, corrected for their overlap",
    )
    add_data(parser)
    add_store(parser)
    add_tracking(parser)


def compared(frame: pd.DataFrame, args: argparse.Namespace, study: str) -> list[Comparison]:
    """Return what cells say, as the options ask.

    Args:
        frame: as `rotlab.results` returns it.
        args: the options.
        study: whose scores `--test-set` reads.

    Raises:
        UserError: if no cell has the metric, no arm the baseline, or the store no scores.
    """
    baseline = baseline_of(args.baseline) or frame.attrs["baseline"] or None
    comparisons = compare(frame, args.metric, baseline, args.random_splits)
    if args.test_set:
        store, data = Store.open(args.store, writing=False), data_root(args.data)
        comparisons = [with_test_sets(one, frame, store, study, data) for one in comparisons]
    return comparisons


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"must be a share between 0 and 1, got {text}")
    return share
