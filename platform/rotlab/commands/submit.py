"""`rotlab submit`: have a cluster's head run a study."""

import argparse
import sys
import tempfile
from pathlib import Path

from rotlab.cluster.jobs import Client, Handed, cancel, connect, find, follow, hand_over
from rotlab.cluster.parcel import code, pack
from rotlab.commands.run import HUNG_AFTER_MIN, add_rules
from rotlab.planning.kinds import load_kinds
from rotlab.planning.space.spec import load_spec
from rotnet.errors import UserError

_SEEN = (
    ("--store", "URL", "ROTLAB_STORE"),
    ("--data", "DIR", "ROTLAB_DATA"),
    ("--tracking-uri", "URI", "MLFLOW_TRACKING_URI"),
    ("--optuna-storage", "FILE|URL", "ROTLAB_OPTUNA_STORAGE"),
)
ADDRESS = "http://127.0.0.1:8265"
DONE, INCOMPLETE, INTERRUPTED = 0, 1, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab submit`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a search space, in YAML")
    what.add_argument("--attach", metavar="STUDY", help="follow one that the cluster has")
    what.add_argument("--cancel", metavar="STUDY", help="end one, at its last checkpoints")
    parser.add_argument(
        "--address",
        metavar="URL",
        default=ADDRESS,
        help="of the cluster's job server, most often a tunnel's end [%(default)s]",
    )
    parser.add_argument(
        "--code",
        choices=("here", "nodes"),
        default="here",
        help="whose rotnet and rotlab are run: what is at work here is sent along, or what the "
        "nodes have is taken [%(default)s]",
    )
    parser.add_argument("--detach", action="store_true", help="do not follow what it says")
    for name, form, variable in _SEEN:
        parser.add_argument(
            name,
            metavar=form,
            help=f"as the cluster sees it (default: its head's ${variable})",
        )
    add_rules(parser)


def run(args: argparse.Namespace) -> int:
    """Hand a study over, follow or end one; return its status, 130 if only the following ended.

    Raises:
        UserError: the search space is not in order, the cluster does not answer, or has no such
            study, or has it already.
    """
    if args.file is None:
        client = connect(args.address)
        study = args.attach or args.cancel
        handed = find(client, study)
        if handed is None:
            raise UserError(
                f"the cluster has no job of a study {study!r}; if its head was lost, submit the "
                "file again: it goes on from the last checkpoints"
            )
        if args.cancel:
            return _cancel(client, handed)
        return _follow(client, handed)
    spec = load_spec(args.file, load_kinds())  # its data are the cluster's to find
    client = connect(args.address)
    with tempfile.TemporaryDirectory(prefix="rotlab-submit-") as folder:
        inside = pack(args.file, Path(folder))
        handed = hand_over(
            client,
            spec.name,
            [inside, *_words(args)],
            store=args.store,
            folder=Path(folder),
            code=code() if args.code == "here" else (),
        )
    print(f"{spec.name}: handed over as {handed.job}")
    return DONE if args.detach else _follow(client, handed)


def _words(args: argparse.Namespace) -> list[str]:
    """The options of `rotlab run` that were given."""
    pairs = (
        ("--store", args.store),
        ("--data", args.data),
        ("--tracking-uri", args.tracking_uri),
        ("--optuna-storage", args.optuna_storage),
        ("--concurrency", args.concurrency),
        ("--pending", args.pending),
        ("--weight", args.weight),
        ("--same-errors", args.same_errors),
        ("--hung-after", args.hung_after if args.hung_after != HUNG_AFTER_MIN else None),
        ("--notify", args.notify),
    )
    return [word for name, value in pairs if value is not None for word in (name, str(value))]


def _follow(client: Client, handed: Handed) -> int:
    try:
        found = follow(client, handed.job, _write)
    except KeyboardInterrupt:
        print(
            f"\nnot followed any more; the study goes on: --attach {handed.study} follows it "
            f"again, --cancel {handed.study} ends it",
            file=sys.stderr,
        )
        return INTERRUPTED
    return _status(found)


def _cancel(client: Client, handed: Handed) -> int:
    if not handed.is_open:
        raise UserError(f"study {handed.study!r} has ended already, as {handed.state}")
    found = cancel(client, handed, _write)
    print(f"{handed.study}: ended; submitted again it goes on from the last checkpoints")
    return DONE if not found.is_open else INCOMPLETE


def _status(found: Handed) -> int:
    if found.status is not None and found.status >= 0:
        return found.status
    return INTERRUPTED if found.state == "STOPPED" else INCOMPLETE


def _write(text: str) -> None:
    print(text, end="", flush=True)
