"""What the commands share that measure a frozen network on the two sides of a split."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TypeVar

from rotnet.commands.settings import add_network, add_settings, make_config, set_location
from rotnet.config import ProbeConfig, RetrieveConfig
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.data.video import VideoSet

Config = TypeVar("Config", ProbeConfig, RetrieveConfig)


def add_measured(parser: ArgumentParser) -> None:
    """Add the data, the folder, the network and its settings."""
    parser.add_argument(
        "data", metavar="DATA", type=set_location, help="a prepared data set with labels"
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the results")
    parser.add_argument(
        "--init", type=Path, metavar="FOLDER", help="a saved network to measure [random weights]"
    )
    parser.add_argument("--split", type=int, default=1, metavar="K", help="of the data set [1]")
    add_network(parser)
    add_settings(parser)


def read_measured(kind: type[Config], args: Namespace) -> tuple[Config, VideoSet, VideoSet]:
    """Return the settings and the videos to learn from and to test on, and make the folder.

    Raises:
        UserError: if a setting is refused, or the data set or split is not there.
    """
    config = make_config(kind, args, {"modality": args.modality, "seed": args.seed})
    manifest = Manifest.load(local_folder(args.data))
    train, test = manifest.select("train", args.split), manifest.select("test", args.split)
    args.out.mkdir(parents=True, exist_ok=True)
    return config, train, test
