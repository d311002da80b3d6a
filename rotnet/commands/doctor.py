"""`rotnet doctor`: does anything but content tell a network how a clip was turned?"""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from rotnet.commands.settings import add_network, add_settings, make_config, set_location
from rotnet.config import PretrainConfig
from rotnet.data.framestore.formats import FORMATS, Format
from rotnet.data.framestore.layout import Record
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.data.video import VideoSet
from rotnet.doctor.examine import FULL, QUICK, examine
from rotnet.doctor.report import named, report
from rotnet.doctor.verdict import Examination
from rotnet.errors import UserError
from rotnet.learning.device import find_device

SETS = (2, 4, 8, 360)
ROTATIONS = "pretext.rotations"
NOT_CLEAN = 1
DESCRIPTION = """\
Probe the training path for leaks: noise that has no up is turned exactly as in training, through
files as well, and two probes (a linear one on spectra, colours and borders; a small CNN) try to
tell how. They must not, and they must find every leak that is planted. Of DATA's own pictures it is
reported what their borders, middles and details tell; a border is a fault where it stands still in
many videos, or clearly beats the ring next to it.

A set takes about 10 minutes on two cores with --recipe tiny, 360 twice that; clips of 112 pixels
want a GPU. Exit status: 0 all clean, 1 not, 2 bad input.
"""


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = DESCRIPTION
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.add_argument(
        "data",
        metavar="DATA",
        type=set_location,
        nargs="?",
        help="a prepared data set; without one only the path is probed",
    )
    parser.add_argument(
        "--rotations",
        type=int,
        nargs="+",
        choices=SETS,
        metavar="SET",
        help="the sets to examine, of 2 4 8 360 [the one of --set pretext.rotations, else all]",
    )
    parser.add_argument(
        "--path",
        choices=("exact", "resampled"),
        help="how clips are turned [exact where all angles are quarter turns]",
    )
    parser.add_argument(
        "--split", type=int, metavar="K", help="look at the training part of split K [all]"
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="store the noise that goes through files so [as DATA is stored, else raw]",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the work, for trying things out"
    )
    add_network(parser)
    add_settings(parser)


def run(args: Namespace) -> int:
    """Examine each set and print what was found."""
    configs = _configs(args)
    videos = (
        Manifest.load(local_folder(args.data)).select("pretrain", args.split) if args.data else None
    )
    if args.split is not None and videos is None:
        raise UserError(f"--split {args.split} is of a data set: give DATA as well")
    storage: Format = args.format or ("raw" if videos is None else _format_of(videos))
    found = []
    for config in configs:
        name = named(config.pretext.model_dump()["rotations"])

        def tell(what: str, name: str = name) -> None:
            sys.stderr.write(f"rotations {name}: {what}\n")

        examined = examine(
            config,
            videos,
            budget=QUICK if args.quick else FULL,
            device=find_device(),
            tell=tell,
            storage=storage,
        )
        found.append(examined)
        sys.stdout.writelines(f"{line}\n" for line in (*report(examined), ""))
        sys.stdout.flush()
    if args.json:
        _write(args.json, found)
    return 0 if all(examined.verdict == "clean" for examined in found) else NOT_CLEAN


def _format_of(videos: VideoSet) -> Format:
    """Return the format that a set is stored in; frames that stay in videos are as raw ones."""
    storage = Record.load(videos.folder).storage
    return next((name for name in FORMATS if name == storage), "raw")


def _configs(args: Namespace) -> list[PretrainConfig]:
    """Return the settings of a pretraining with each set that is to be examined."""
    own = [one for one in args.replaced if one.partition("=")[0].strip() == ROTATIONS]
    if own and args.rotations:
        raise UserError(f"--rotations and --set {own[-1]} name sets: leave one of them out")
    if own:
        return [_config(args)]
    return [_config(args, rotations) for rotations in args.rotations or SETS]


def _config(args: Namespace, rotations: int | None = None) -> PretrainConfig:
    """Return the settings of a pretraining with a set; None: with that of the settings."""
    replaced = [*args.replaced, *([] if rotations is None else [f"{ROTATIONS}={rotations}"])]
    if args.path:
        replaced.append(f"pretext.path={args.path}")
    settings = Namespace(recipe=args.recipe, replaced=replaced)
    values = {"modality": args.modality, "seed": args.seed}
    return make_config(PretrainConfig, settings, values)


def _write(path: Path, found: Sequence[Examination]) -> None:
    """Write figures to a temporary file beside `path`, then rename it."""
    text = json.dumps([examined.as_dict() for examined in found], indent=2) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(name).replace(path)
