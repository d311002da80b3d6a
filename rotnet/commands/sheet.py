"""`rotnet sheet`: a training batch as the network sees it, on one picture."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rotnet.commands.settings import add_network, add_settings, make_config, set_location
from rotnet.config import FinetuneConfig, PretrainConfig
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.errors import UserError
from rotnet.evaluation.training_batch import finetuning_batch, pretraining_batch
from rotnet.pictures.image_file import checked_png, write_image
from rotnet.pictures.sheet import sheet_picture

DESCRIPTION = """\
Draw a batch of a training exactly as the network is given it, normalisation undone, each view with
the label that it is told. Differences of frames are drawn around mid-grey.
"""


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = DESCRIPTION
    parser.add_argument("data", metavar="DATA", type=set_location, help="a prepared data set")
    parser.add_argument("out", metavar="OUT", type=Path, help="picture to write, .png")
    parser.add_argument(
        "--task", choices=("pretrain", "finetune"), default="pretrain", help="which one [pretrain]"
    )
    parser.add_argument(
        "--split",
        type=int,
        metavar="K",
        help="learn from the training part of split K [pretrain: all videos, finetune: 1]",
    )
    for name, default, text in (
        ("step", 0, "number of the batch, from 0"),
        ("clips", 6, "how many of its clips to draw"),
        ("frames", 3, "how many frames of each view to draw"),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=default, metavar="N", help=f"{text} [{default}]"
        )
    add_network(parser)
    add_settings(parser)


def run(args: Namespace) -> int:
    """Draw, and say where."""
    for name, least in (("step", 0), ("clips", 1), ("frames", 1)):
        if getattr(args, name) < least:
            raise UserError(f"--{name} must be at least {least}, got {getattr(args, name)}")
    out, manifest = checked_png(args.out), Manifest.load(local_folder(args.data))
    values = {"modality": args.modality, "seed": args.seed}
    config: PretrainConfig | FinetuneConfig
    if args.task == "pretrain":
        config = make_config(PretrainConfig, args, values)
        batch = pretraining_batch(config, manifest.select("pretrain", args.split), args.step)
    else:
        config = make_config(FinetuneConfig, args, values)
        split = 1 if args.split is None else args.split
        batch = finetuning_batch(config, manifest.select("train", split), args.step)
    title = f"{args.task}, {config.modality}, step {args.step} of seed {config.seed}"
    picture = sheet_picture(
        batch, config.modality, config.views, clips=args.clips, frames=args.frames, title=title
    )
    write_image(picture, out)
    sys.stdout.write(f"in {out}\n")
    return 0
