"""`rotnet linear`: what a frozen network's stages know of the actions."""

import sys
from argparse import ArgumentParser, Namespace

from rotnet.commands.measured import add_measured, read_measured
from rotnet.commands.progress import Printer, conclude
from rotnet.config import ProbeConfig
from rotnet.evaluation.linear import PROBES, linear
from rotnet.learning.table import read_table


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = (
        "Probe a frozen network: logistic regression on every stage's features. Weight decay and "
        "stage are chosen on videos held out of the training part."
    )
    add_measured(parser)


def run(args: Namespace) -> int:
    """Probe, and print a line for every stage and grid, then the metrics."""
    config, train, test = read_measured(ProbeConfig, args)
    metrics = linear(config, args.init, train, test, args.out, Printer())
    rows = [row for row in read_table(args.out / PROBES) if row["test_accuracy"]]
    width = max(len(row["features"]) for row in rows)
    sys.stdout.write(f"{'features':{width}}  {'l2':>6}   val %  test %\n")
    for row in rows:
        val, tested = (100 * float(row[name]) for name in ("val_accuracy", "test_accuracy"))
        sys.stdout.write(
            f"{row['features']:{width}}  {float(row['l2']):6g}  {val:6.1f}  {tested:6.1f}"
            f"{'  chosen on val' if row['chosen'] == '1' else ''}\n"
        )
    each = {f"accuracy_{row['features']}" for row in rows}
    conclude({name: value for name, value in metrics.items() if name not in each}, args.out)
    return 0
