"""`rotnet fuse`: the scores of several networks become one."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
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
    parser.add_argument(
        "--held-out",
        metavar="NETWORK",
        type=Path,
        nargs="+",
        help="for rule fitted, where networks have learnt from all videos: for each SCORES, in "
        "order, the folder of a fine-tuning by the same settings with finetune.final=train",
    )


def run(args: Namespace) -> int:
    """Fuse, and print the metrics."""
    members = {str(member): member for member in args.members}
    if len(members) < len(args.members):
        raise UserError(f"a folder of scores is given twice: {' '.join(map(str, args.members))}")
    held_out = _paired(members, args.held_out, args.rule) if args.held_out else {}
    config = FusionConfig(fuse=FuseConfig(rule=args.rule))
    args.out.mkdir(parents=True, exist_ok=True)
    conclude(fuse(config, members, args.out, held_out), args.out)
    return 0


def _paired(members: Mapping[str, Path], networks: Sequence[Path], rule: str) -> dict[str, Path]:
    if rule != "fitted":
        raise UserError(f"--held-out is for --rule fitted, not {rule}")
    if len(networks) != len(members):
        raise UserError(
            f"--held-out takes a network for each of the {len(members)} SCORES, got {len(networks)}"
        )
    return dict(zip(members, networks, strict=True))
