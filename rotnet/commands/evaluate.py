"""`rotnet evaluate`: a fine-tuned network scores the test videos."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.commands.progress import Printer, conclude
from rotnet.commands.settings import add_settings, make_config, set_location
from rotnet.config import ScoreConfig
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.evaluation.evaluate import evaluate


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = "Score the test videos of a split with a fine-tuned network."
    parser.add_argument("network", metavar="NETWORK", type=Path, help="folder of a fine-tuning")
    parser.add_argument(
        "data", metavar="DATA", type=set_location, help="a prepared data set with labels"
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the scores")
    parser.add_argument("--split", type=int, default=1, metavar="K", help="of the data set [1]")
    add_settings(parser)


def run(args: Namespace) -> int:
    """Score, and print the metrics."""
    config = make_config(ScoreConfig, args, {})
    videos = Manifest.load(local_folder(args.data)).select("test", args.split)
    args.out.mkdir(parents=True, exist_ok=True)
    conclude(evaluate(config, args.network, videos, args.out, Printer()), args.out)
    return 0
