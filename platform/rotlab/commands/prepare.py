"""`rotlab prepare`: `rotnet prepare` by the nodes of a Ray cluster, with the same files."""

import argparse
import sys
from pathlib import Path

from rotlab.cluster.sight import check_sight
from rotlab.cluster.videos import ClusterHands
from rotlab.commands.options import an_amount
from rotlab.execution.conduct.capacity import Capacity
from rotlab.execution.on_ray.cluster import cluster
from rotnet.commands.prepare import DESCRIPTION, configure, run_with
from rotnet.data.job import check_source
from rotnet.data.standing import check_place
from rotnet.errors import UserError

LEAST_CPUS = 0.01  # Ray counts ten-thousandths, and refuses less by an error of its own


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the kinds of source, with what `rotnet prepare` can be told, and the cluster."""
    configure(parser, _add_cluster)
    parser.description = (
        f"{DESCRIPTION}\nVideos are dealt to the nodes of a Ray cluster, all of which must see "
        "SOURCE and OUT by the same path. The set is that of `rotnet prepare`, byte for byte."
    )


def run(args: argparse.Namespace) -> int:
    """Prepare a set; return 0.

    Raises:
        UserError: before anything is decoded, if the cluster cannot be joined or a node does not
            see the folders; or as `rotnet prepare` does.
    """
    args.out = args.out.absolute()
    source = _source(args)
    check_place(args.out)
    if args.cpus_per < LEAST_CPUS:
        raise UserError(f"--cpus-per: must be at least {LEAST_CPUS:g}, got {args.cpus_per:g}")
    with cluster(args.address, args.cpus, None if args.address else 0, verbose=False) as joined:
        room = joined.capacity()
        if args.address is None and args.cpus_per > room.cpus:
            raise UserError(
                f"--cpus-per {args.cpus_per:g}: this machine has {room.cpus:g} cores for all; give "
                "fewer, or more by --cpus"
            )
        if said := awaited(room, args.cpus_per):
            print(said, file=sys.stderr)
        check_sight(source, args.out, args.cpus_per)
        return run_with(args, ClusterHands(args.cpus_per))


def awaited(room: Capacity, cpus_per: float) -> str | None:
    """Return what is to be said where no node that is there can hold a video."""
    largest = max((cpus for cpus, _ in room.nodes), default=0.0)
    if largest >= cpus_per:
        return None
    return (
        f"no node has {cpus_per:g} cores, the largest has {largest:g}: waiting until one comes; "
        "Ctrl-C and a smaller --cpus-per if none can"
    )


def _source(args: argparse.Namespace) -> Path | None:
    if args.kind == "synthetic":
        return None
    check_source(args.source)
    args.source = args.source.absolute()
    found: Path = args.source
    return found


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address",
        metavar="RAY",
        help="of a Ray cluster (HOST:PORT, auto); without it one is started on this machine",
    )
    parser.add_argument(
        "--cpus",
        metavar="N",
        type=_cores,
        help="cores of the one started here [all]",
    )
    parser.add_argument(
        "--cpus-per",
        metavar="N",
        type=an_amount("cores"),
        default=1.0,
        help="cores that a video takes [%(default)g]",
    )


def _cores(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)
