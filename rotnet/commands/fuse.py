"""`rotnet fuse`: the scores of several networks become one."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.commands.progress import conclude
from rotnet.config import FusionConfig
from rotnet.evaluation.fuse import fuse


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = "Average the class probabilities of several evaluations."
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the fused scores")
    parser.add_argument(
        "members", metavar="SCORES", type=Path, nargs="+", help="folders of evaluations"
    )


def run(args: Namespace) -> int:
    """Fuse, and print the metrics."""
    args.out.mkdir(parents=True, exist_ok=True)
    members = {str(member): member for member in args.members}
    conclude(fuse(FusionConfig(), members, args.out), args.out)
    return 0
