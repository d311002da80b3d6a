"""`rotnet export`: a network for other programs."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.errors import CheckpointError, UserError
from rotnet.learning.checkpoint import load_network
from rotnet.learning.export import export


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = (
        "Write a network to a file: safetensors (all of it; 'rotnet convert' reads it back), a "
        "state dict under torchvision's or kenshohara's names, or a torch.export program."
    )
    parser.add_argument("network", metavar="NETWORK", type=Path, help="folder of a network")
    parser.add_argument("out", metavar="OUT", type=Path, help="file to write")
    parser.add_argument(
        "--format",
        dest="form",
        choices=("safetensors", "torchvision", "kenshohara", "torch-export"),
        default="safetensors",
        help="of the file [safetensors]",
    )


def run(args: Namespace) -> int:
    """Export, and say what the file holds."""
    if args.out.exists():
        raise UserError(f"{args.out}: exists already; remove it or name another file")
    if args.form == "torch-export" and args.out.suffix != ".pt2":
        raise UserError(f"{args.out}: a file of torch.export ends in .pt2; name it so")
    network = load_network(args.network)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        note = export(network, args.out, args.form)
    except CheckpointError as error:
        raise CheckpointError(f"{args.network}: {error}") from None
    sys.stdout.write(f"{args.out}: {note}\n")
    return 0
