"""The kinds of source that `rotnet prepare` reads, and what each can be told."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from rotnet.data.catalog import (
    FolderKind,
    Kind,
    RandomSplits,
    UtInteractionKind,
    WeizmannKind,
    hmdb51,
    kinetics,
    moments,
    table,
    ucf101,
)
from rotnet.errors import UserError
from rotnet.registry import DATASETS

TABLE = """\
Read the videos that a CSV file names. Its first line names the columns. path: of the video,
relative to SOURCE. label: its class. group: what no split may tear apart, such as a film or a
person. split, or split_1, split_2 and so on: train, test or unused in each split. All but path may
be left out; labelled videos without splits get random ones, whole groups each.
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of source.

    Args:
        help: a line that says what it is.
        configure: adds its own options.
        kind: returns how to read it, for the options given.
    """

    help: str
    configure: Callable[[ArgumentParser], None]
    kind: Callable[[Namespace], Kind]


@runtime_checkable
class WithOptions(Protocol):
    """What a registered kind may have too, so that it can be told something."""

    def configure(self, parser: ArgumentParser) -> None:
        """Add options."""

    def with_options(self, args: Namespace) -> Kind:
        """Return the kind that the options ask for."""


def all_sources() -> dict[str, Source]:
    """Return the kinds of this project, then those that packages register under other names."""
    others = (name for name in DATASETS.names() if name not in SOURCES)
    return {**SOURCES, **{name: _registered(name) for name in others}}


def add_random_splits(parser: ArgumentParser) -> None:
    """Add how labelled videos without splits of their own are split."""
    default = RandomSplits()
    parser.add_argument(
        "--splits",
        type=int,
        default=default.num_splits,
        metavar="N",
        help="random splits of a labelled set [%(default)s]",
    )
    add_test_fraction(parser)


def add_test_fraction(parser: ArgumentParser) -> None:
    """Add how much a random split holds out."""
    parser.add_argument(
        "--test-fraction",
        type=float,
        default=RandomSplits().test_fraction,
        metavar="F",
        help="share that each random split holds out [%(default)s]",
    )


def _registered(name: str) -> Source:
    """Return a source for a kind that another package registers; a broken one breaks itself only.

    It is a value that is a Kind, or a class that makes one without arguments.
    """
    try:
        found = DATASETS.load(name)
        kind = found() if isinstance(found, type) else found
    except UserError as error:
        return _broken(str(error))
    if not isinstance(kind, Kind):
        return _broken(
            f"data set {name!r} is registered, but {found!r} is no rotnet.data.catalog.Kind"
        )
    text = (type(kind).__doc__ or "registered by another package").strip().split("\n")[0]
    text = text.replace("%", "%%")  # argparse fills in what follows a single one
    if isinstance(kind, WithOptions):
        return Source(text, kind.configure, kind.with_options)
    return Source(text, _nothing, lambda _: kind)


def _broken(reason: str) -> Source:
    def refuse(_: Namespace) -> Kind:
        raise UserError(reason)

    return Source("(cannot be used)", _nothing, refuse)


def _nothing(parser: ArgumentParser) -> None:
    """Add no options."""


def _configure_folder(parser: ArgumentParser) -> None:
    parser.add_argument("--unlabelled", action="store_true", help="without classes and splits")
    add_random_splits(parser)


def _configure_lists(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--lists", type=Path, required=True, metavar="DIR", help="folder of the official lists"
    )
    _add_allow_missing(parser)


def _configure_kinetics(parser: ArgumentParser) -> None:
    _add_csvs(parser, "CSV files of the parts that are wanted: train, validation, test")
    _add_allow_missing(parser)


def _configure_moments(parser: ArgumentParser) -> None:
    _add_csvs(parser, "trainingSet.csv, validationSet.csv, or both")
    _add_allow_missing(parser)


def _configure_table(parser: ArgumentParser) -> None:
    parser.description = TABLE
    parser.add_argument(
        "--csv",
        type=Path,
        required=True,
        metavar="FILE",
        help="with a header: path, and as wanted label, group, split or split_1, split_2, ...",
    )
    add_random_splits(parser)
    _add_allow_missing(parser)


def _configure_ut_interaction(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        choices=("1", "2"),
        dest="only",
        help="one of the two sets, of 10 splits [both: splits 1-10 are set 1's, 11-20 set 2's]",
    )
    _add_allow_missing(parser)


def _add_csvs(parser: ArgumentParser, text: str) -> None:
    parser.add_argument("--csv", type=Path, nargs="+", required=True, metavar="FILE", help=text)


def _add_allow_missing(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--allow-missing", action="store_true", help="go on where the set is not complete"
    )


def _ut_interaction(args: Namespace) -> Kind:
    chosen: dict[Any, Any] = {"1": 1, "2": 2}
    return UtInteractionKind(chosen.get(args.only), args.allow_missing)


SOURCES = {
    "folder": Source(
        "a folder for each class, or videos without classes",
        _configure_folder,
        lambda args: FolderKind(args.unlabelled, args.splits, args.test_fraction),
    ),
    "csv": Source(
        "videos that a CSV file names, with labels, groups and splits",
        _configure_table,
        lambda args: table(
            args.csv,
            RandomSplits(args.splits, args.test_fraction),
            allow_missing=args.allow_missing,
        ),
    ),
    "ucf101": Source(
        "UCF101 with its three official splits",
        _configure_lists,
        lambda args: ucf101(args.lists, allow_missing=args.allow_missing),
    ),
    "hmdb51": Source(
        "HMDB51 with its three official splits",
        _configure_lists,
        lambda args: hmdb51(args.lists, allow_missing=args.allow_missing),
    ),
    "kinetics": Source(
        "Kinetics-400, -600 or -700: files youtube_id_start_end",
        _configure_kinetics,
        lambda args: kinetics(args.csv, allow_missing=args.allow_missing),
    ),
    "moments": Source(
        "Moments in Time",
        _configure_moments,
        lambda args: moments(args.csv, allow_missing=args.allow_missing),
    ),
    "ut-interaction": Source(
        "UT-Interaction, segmented; split k holds out sequence k",
        _configure_ut_interaction,
        _ut_interaction,
    ),
    "weizmann": Source(
        "files person_action.avi; split k of 3 holds out persons",
        _add_allow_missing,
        lambda args: WeizmannKind(args.allow_missing),
    ),
}
