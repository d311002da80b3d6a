"""`rotnet prepare`: videos become a prepared data set."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rotnet.commands.settings import make_config
from rotnet.commands.sources import add_test_fraction, all_sources
from rotnet.config import PretrainConfig
from rotnet.data.estimating import estimates
from rotnet.data.framestore.formats import FORMATS
from rotnet.data.hands import Hands, processes
from rotnet.data.job import NotAllWholeError
from rotnet.data.job import Progress as Told
from rotnet.data.prepare import Outcome, prepare, prepare_synthetic
from rotnet.data.quarantine import read_quarantine
from rotnet.data.sizes import Estimate, in_bytes
from rotnet.data.staging import staging_of
from rotnet.data.store import Storage
from rotnet.data.video import Video
from rotnet.errors import UserError
from rotnet.recipes import RECIPES
from rotnet.views.room import read_for

DESCRIPTION = """\
Decode every video of a source once, cut its black bars, reduce it, and store its frames in OUT.
A source of the kind 'folder' is read as SOURCE/CLASS/video, or as SOURCE/train/CLASS/video and so
on, or as unlabelled where there are no folders. Of a set with official lists, labels, groups and
splits are those of the lists, whatever folders and suffixes the videos have.
"""


def _add_workers(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        type=_at_least_zero,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes; 0 works in this one [%(default)s, the cores]",
    )


def configure(
    parser: ArgumentParser, add_hands: Callable[[ArgumentParser], None] = _add_workers
) -> None:
    """Add the kinds of source, and what each can be told.

    Args:
        parser: to add them to.
        add_hands: adds to each what says who does the work.
    """
    parser.description = DESCRIPTION
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for name, source in all_sources().items():
        each = _add(kinds, name, source.help)
        each.add_argument("source", metavar="SOURCE", type=Path, help="folder of videos")
        each.set_defaults(read=source.kind)
        source.configure(each)
        each.add_argument(
            "--strict", action="store_true", help="fail if a video is not wholly decodable"
        )
        each.add_argument(
            "--quarantine",
            type=Path,
            metavar="FILE",
            help="leave out the videos that this CSV names (path, reason), such as another set's "
            "quarantine.csv, without trying them",
        )
        each.add_argument(
            "--estimate", action="store_true", help="only say how large each format would be"
        )
        _add_common(each)
        add_hands(each)
    synthetic = _add(kinds, "synthetic", "videos made here, for trying things out")
    synthetic.add_argument(
        "--videos", type=int, default=480, metavar="N", help="how many to make [480]"
    )
    synthetic.add_argument(
        "--seed",
        type=_at_least_zero,
        default=0,
        metavar="N",
        help="another seed makes other videos [0]",
    )
    synthetic.add_argument(
        "--unlabelled", action="store_true", help="the pool: without classes, everything falls"
    )
    add_test_fraction(synthetic)
    _add_common(synthetic)
    add_hands(synthetic)


def run(args: Namespace) -> int:
    """Prepare by processes of this machine, and say what became of it."""
    return run_with(args, processes(args.workers))


def run_with(args: Namespace, hands: Hands) -> int:
    """Likewise, by what hands there are."""
    storage = Storage(
        short_side=_short_side(args),
        bars="keep" if args.keep_bars else "cut",
        format=args.format,
    )
    if args.kind != "synthetic" and args.estimate:
        found = estimates(
            args.source,
            args.out,
            args.read(args),
            storage=storage,
            hands=hands,
            quarantine=_quarantine(args),
        )
        _print(*_sizes(found))
        return 0
    try:
        with _progress() as told:
            outcome = _prepare(args, storage, hands, told)
    except NotAllWholeError as error:
        _list_troubled(error.videos)
        raise
    except KeyboardInterrupt:
        if staging_of(args.out).exists():
            sys.stderr.write("what is done is kept: the same command goes on from there\n")
        raise
    _list_troubled(outcome.manifest.videos)
    _print(*_conclusion(outcome, args.out))
    return 0


def _short_side(args: Namespace) -> int:
    if args.recipe:
        wanted = [f"pretext.rotations={args.rotations}"] if args.rotations else []
        settings = Namespace(recipe=args.recipe, replaced=wanted)
        return read_for(make_config(PretrainConfig, settings, {})).resize
    if args.rotations:
        raise UserError(f"--rotations {args.rotations} says what side a recipe needs: give --for")
    side: int = args.short_side
    return side


def _prepare(args: Namespace, storage: Storage, hands: Hands, told: Told) -> Outcome:
    if args.kind == "synthetic":
        return prepare_synthetic(
            args.out,
            num_videos=args.videos,
            seed=args.seed,
            unlabelled=args.unlabelled,
            test_fraction=args.test_fraction,
            storage=storage,
            name=args.name,
            hands=hands,
            progress=told,
        )
    return prepare(
        args.source,
        args.out,
        args.read(args),
        storage=storage,
        name=args.name,
        hands=hands,
        strict=args.strict,
        quarantine=_quarantine(args),
        progress=told,
        estimate=_say_estimate,
    )


def _quarantine(args: Namespace) -> dict[str, str]:
    return read_quarantine(args.quarantine) if args.quarantine else {}


def _say_estimate(found: Estimate) -> None:
    sys.stderr.write(
        f"about {in_bytes(found.num_bytes)} will be written (judged by {found.videos} videos); "
        f"{in_bytes(found.free)} are free\n"
    )


def _sizes(found: Mapping[str, Estimate]) -> Iterator[str]:
    for name, estimate in found.items():
        yield f"{name:5} {in_bytes(estimate.num_bytes):>9}"
    one = next(iter(found.values()))
    yield f"judged by {one.videos} videos; {in_bytes(one.free)} are free"


def _add(kinds: "_SubParsersAction[ArgumentParser]", name: str, text: str) -> ArgumentParser:
    return kinds.add_parser(name, help=text, description=text)


def _add_common(parser: ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to make")
    parser.add_argument("--name", help="what the set is called [the name of OUT]")
    sides = parser.add_mutually_exclusive_group()
    sides.add_argument(
        "--short-side",
        type=int,
        default=Storage().short_side,
        metavar="PIXELS",
        help="stored pictures have at most this shorter side; nothing is enlarged [%(default)s]",
    )
    sides.add_argument(
        "--for",
        dest="recipe",
        choices=sorted(RECIPES),
        help="the shorter side that this recipe's pretraining reads",
    )
    parser.add_argument(
        "--rotations",
        type=int,
        choices=(2, 4, 8, 360),
        help="with --for: of this set, whose turns may need a larger picture [the recipe's]",
    )
    parser.add_argument(
        "--format",
        choices=(*FORMATS, "source"),
        default=Storage().format,
        help="of stored frames: raw is the fastest to read, jpeg takes about a tenth of it, h264 a "
        "thirtieth; source stores none, and decodes SOURCE's videos each time [%(default)s]",
    )
    parser.add_argument(
        "--keep-bars",
        action="store_true",
        help="keep black bars, off which rotations can be read: for leak probes only",
    )


def _at_least_zero(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"must be a whole number of at least 0, got {text!r}")
    return int(text)


@contextmanager
def _progress() -> Iterator[Told]:
    """Show a bar while a person looks on; give what tells it how far things are."""
    console = Console(stderr=True)
    columns = (TextColumn("preparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("preparing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _list_troubled(videos: Iterable[Video]) -> None:
    titles = {"part": "in part ", "left_out": "left out"}
    _print(
        *(
            f"{titles[video.status]}  {video.path}: {video.reason}"
            for video in videos
            if video.status in titles
        )
    )


def _conclusion(outcome: Outcome, out: Path) -> Iterator[str]:
    header, videos = outcome.header, outcome.manifest.videos
    counts = header.counts
    kept = counts["ok"] + counts["part"]
    barred = sum(
        video.area is not None
        and (video.area.width, video.area.height) != (video.width, video.height)
        for video in videos
    )
    classes = f"{len(header.classes)} classes" if header.classes else "no labels"
    yield (
        f"{'prepared' if outcome.fresh else 'up to date:'} {out}: {kept} videos "
        f"({counts['part']} in part), {counts['left_out']} left out, {classes}, "
        f"{header.num_splits} splits, "
        f"bars cut from {barred}, {in_bytes(counts['bytes'])}"
    )
    small = [min(v.stored_height, v.stored_width) for v in videos if v.kept]
    side = header.settings["short_side"]
    enlarged = sum(one < side for one in small)
    if enlarged:
        yield (
            f"note: {enlarged} videos are smaller than {side} pixels: clips of that size enlarge "
            f"them, by {side / min(small):.2f} at most"
        )
    for note in header.notes:
        yield f"note: {note}"
    if not outcome.fresh:
        yield "nothing to do: same videos, same settings"


def _print(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
