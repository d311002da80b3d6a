"""`rotnet attention`: what networks look at, as pictures and films."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from rotnet.commands.settings import set_location
from rotnet.data.location import local_folder
from rotnet.data.manifest import Manifest
from rotnet.data.video import VideoSet
from rotnet.errors import DataError, UserError
from rotnet.evaluation.attention import STAGE
from rotnet.evaluation.new_videos import new_video
from rotnet.evaluation.opened import Opened, open_network, random_like
from rotnet.evaluation.turning import MOST, Turning, turning_of, unlike
from rotnet.pictures.attention import attended, check_alike, middle_clip
from rotnet.pictures.film import write_film
from rotnet.pictures.image_file import write_image

DESCRIPTION = """\
Show where networks are active in a clip: the mean of a stage's activation over its channels, laid
over the clip in each rotation of the set that the first pretrained network has learnt, on the path
on which it has; networks stand side by side. Of a set of more than 36, such as 360, 8 are shown,
evenly spread; networks that have learnt no rotations are shown quarter turns. Every video gives a
picture of the middle of its middle clip, and a film of that clip.
"""
_LONGEST_STEM = 100  # characters of a file's name that come from the video's


def configure(parser: ArgumentParser) -> None:
    """Add what it needs."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "networks", metavar="NETWORK", type=Path, nargs="+", help="folder of a network"
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", metavar="DATA", type=set_location, help="a prepared data set")
    source.add_argument("--videos", metavar="FILE", type=Path, nargs="+", help="video files")
    parser.add_argument(
        "--out", metavar="OUT", type=Path, required=True, help="folder of the pictures"
    )
    parser.add_argument("--stage", default=STAGE, help="of the networks [%(default)s]")
    parser.add_argument(
        "--angles",
        metavar="DEGREES",
        type=int,
        nargs="+",
        help=f"counter-clockwise, at most {MOST} [those of the networks' set]",
    )
    parser.add_argument(
        "--random",
        action="store_true",
        help="beside them a network with random weights, of the first one's shape",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the random weights [0]"
    )
    parser.add_argument(
        "--count", type=int, default=4, metavar="N", help="videos of DATA, spread over it [4]"
    )
    parser.add_argument(
        "--split", type=int, metavar="K", help="take test videos of split K of DATA [any video]"
    )


def run(args: Namespace) -> int:
    """Write a picture and a film for each video, and say where."""
    networks = _named_apart([open_network(folder) for folder in args.networks], args.networks)
    check_alike(networks, args.stage)
    turning = turning_of(networks, args.angles)
    sys.stderr.writelines(f"note: {note}\n" for note in unlike(networks, turning))
    args.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if args.data:
            sets = _spread(local_folder(args.data), args.split, args.count)
        else:
            resize = turning.read(networks[0].config.clip).resize
            opened = [new_video(file, short_side=resize) for file in args.videos]
            sets = [stack.enter_context(each).videos for each in opened]
        if args.random:
            first = networks[0]
            shown = (first.see(middle_clip(first, each, turning)) for each in sets)
            networks.append(random_like(first, shown, args.seed))
        for number, videos in enumerate(sets, 1):
            _write(networks, videos, args, turning, number)
    return 0


def _write(
    networks: Sequence[Opened], videos: VideoSet, args: Namespace, turning: Turning, number: int
) -> None:
    found, video = attended(networks, videos, args.stage, turning), videos.videos[0]
    out: Path = args.out
    name = f"{number:02d}-{Path(video.path).stem[:_LONGEST_STEM]}"
    write_image(found.picture(found.middle), out / f"{name}.png")
    clip = networks[0].config.clip
    pictures = (np.asarray(found.picture(frame)) for frame in range(clip.frames))
    write_film(out / f"{name}.mp4", pictures, video.fps / clip.stride)
    sys.stdout.write(f"{out / name}.png .mp4\n")


def _spread(data: Path, split: int | None, count: int) -> list[VideoSet]:
    """Return so many videos of a prepared set, evenly spread, each as a set of its own."""
    if count < 1:
        raise UserError(f"--count must be at least 1, got {count}")
    manifest = Manifest.load(data)
    videos = manifest.select("pretrain") if split is None else manifest.select("test", split)
    if not videos.videos:
        raise DataError(f"{data}: there is no {videos.role!r} video")
    last = len(videos) - 1
    wanted = {round(last * n / max(1, count - 1)) for n in range(min(count, len(videos)))}
    return [replace(videos, videos=(videos.videos[index],)) for index in sorted(wanted)]


def _named_apart(networks: Sequence[Opened], folders: Sequence[Path]) -> list[Opened]:
    """Return networks named after their folders, by their whole paths where names are equal."""
    names = [network.name for network in networks]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    if len(set(names)) < len(names):
        raise UserError(f"every network must be given once, got {', '.join(names)}")
    return [replace(network, name=name) for network, name in zip(networks, names, strict=True)]
