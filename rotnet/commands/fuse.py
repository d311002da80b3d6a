"""`rotnet fuse`: the scores of several networks become one."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.commands.progress import conclude
from rotnet.config import FuseConfig, FusionConfig
from rotnet.errors import UserError
from rotnet.evaluation.fuse import fuse


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = (
        "Make one of the scores of several evaluations or linear probes, of whatever modality."
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the fused scores")
    parser.add_argument(
        "members", metavar="SCORES", type=Path, nargs="+", help="folders of evaluations"
    )
    parser.add_argument(
        "--rule",
        choices=("mean_softmax", "mean_logits", "fitted"),
        default=FuseConfig().rule,
        help="mean of the softmax, softmax of the mean logits, or softmax weighted as is best on "
        "the validation scores [mean_softmax]",
    )


def run(args: Namespace) -> int:
    """Fuse, and print the metrics."""
    members = {str(member): member for member in args.members}
    if len(members) < len(args.members):
        raise UserError(f"a folder of scores is given twice: {' '.join(map(str, args.members))}")
    args.out.mkdir(parents=True, exist_ok=True)
    conclude(fuse(FusionConfig(fuse=FuseConfig(rule=args.rule)), members, args.out), args.out)
    return 0
