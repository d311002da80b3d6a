"""`rotnet features`: what a network's stages say of videos, as a table for other programs."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.commands.settings import set_location
from rotnet.config import EvaluateConfig, RuntimeConfig
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.errors import UserError
from rotnet.evaluation.attention import check_stage
from rotnet.evaluation.clip_features import clip_features, per_video
from rotnet.evaluation.opened import open_network

try:
    from rotnet.evaluation.feature_table import write_features
except ModuleNotFoundError as error:
    if error.name != "pyarrow":
        raise
    raise UserError("rotnet features writes Parquet with pyarrow: pip install pyarrow") from error

DESCRIPTION = """\
Write the features of videos to a Parquet file: columns video, label, group, start (of the clip, in
frames), clips, and one of vectors for each stage, its maps averaged over time and space.
"""
_CLIPS = EvaluateConfig().clips


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = DESCRIPTION
    parser.add_argument("network", metavar="NETWORK", type=Path, help="folder of a network")
    parser.add_argument("data", metavar="DATA", type=set_location, help="a prepared data set")
    parser.add_argument("out", metavar="OUT", type=Path, help="file to write, .parquet")
    parser.add_argument(
        "--stage", metavar="NAME", nargs="+", help="stages of the network [its last]"
    )
    parser.add_argument(
        "--per", choices=("clip", "video"), default="video", help="what a row is [video]"
    )
    parser.add_argument(
        "--clips",
        type=int,
        default=_CLIPS,
        metavar="N",
        help=f"per video, evenly spread [{_CLIPS}]",
    )
    parser.add_argument(
        "--role",
        choices=("pretrain", "train", "test"),
        default="pretrain",
        help="which videos: train or test ones of --split, or pretrain: all [pretrain]",
    )
    parser.add_argument("--split", type=int, metavar="K", help="of the data set")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="threads that read clips [1]"
    )


def run(args: Namespace) -> int:
    """Write the file, and say what is in it."""
    for name, least in (("clips", 1), ("workers", 0)):
        if getattr(args, name) < least:
            raise UserError(f"--{name} must be at least {least}, got {getattr(args, name)}")
    network = open_network(args.network)
    stages = list(dict.fromkeys(args.stage or network.model.stages[-1:]))
    for stage in stages:
        check_stage(network.model, stage, str(args.network))
    videos = Manifest.load(local_folder(args.data)).select(args.role, args.split)
    if args.out.suffix != ".parquet":
        raise UserError(f"{args.out}: a file of features must be named *.parquet")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    runtime = RuntimeConfig(workers=args.workers)
    found = clip_features(network, videos, stages, clips=args.clips, runtime=runtime)
    note = {
        "network": network.name,
        "modality": network.config.modality,
        "clip": network.config.clip.model_dump(),
        "data": videos.fingerprint,
        "role": args.role,
        "split": args.split,
        "clips": args.clips,
        "per": args.per,
    }
    rows = write_features(args.out, per_video(found) if args.per == "video" else found, note)
    sys.stdout.write(f"{rows} {args.per}s of {len(videos)} videos, {', '.join(stages)}\n")
    sys.stdout.write(f"in {args.out}\n")
    return 0
