"""`rotnet retrieve`: are test videos near training videos of their class?"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from rotnet.commands.measured import add_measured, read_measured
from rotnet.commands.progress import Printer
from rotnet.config import RetrieveConfig
from rotnet.evaluation.retrieval import KS, retrieve


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = (
        "Rank all training videos by how near each test video they are, by a frozen network's "
        "features and the cosine."
    )
    add_measured(parser)


def run(args: Namespace) -> int:
    """Rank, and print the figures beside those of random orders."""
    config, train, test = read_measured(RetrieveConfig, args)
    metrics = retrieve(config, args.init, train, test, args.out, Printer())
    sys.stdout.write("        here %  by chance %\n")
    sys.stdout.writelines(_lines(metrics))
    sys.stdout.write(
        f"{metrics['videos']:g} test videos, {metrics['gallery']:g} training videos\n"
        f"in {args.out}\n"
    )
    return 0


def _lines(metrics: Mapping[str, float]) -> list[str]:
    names = {f"R@{k}": f"recall_at_{k}" for k in KS if f"recall_at_{k}" in metrics}
    return [
        f"{title:6}  {100 * metrics[name]:6.1f}  {100 * metrics[f'chance_{name}']:11.1f}\n"
        for title, name in {**names, "mAP": "mean_average_precision"}.items()
    ]
