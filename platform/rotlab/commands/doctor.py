"""`rotlab doctor`: whether an environment can carry a study."""

import argparse
import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rotlab.cluster.findings import Finding, exit_status, judge, judge_node
from rotlab.cluster.rounds import survey_nodes
from rotlab.cluster.survey import Survey, survey
from rotlab.commands.options import add_store, add_tracking
from rotlab.execution.on_ray.cluster import cluster
from rotlab.store.files import create_json, remove
from rotlab.store.shelf import tracking_uri_of
from rotlab.store.store import Store
from rotlab.tracking.client import UNREACHABLE, open_client
from rotlab.tracking.uri import (
    TrackingError,
    check_tracking_uri,
    sqlite_path,
)
from rotnet.errors import UserError

_DEFAULT_EXPERIMENT = "0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab doctor`."""
    add_store(parser)
    add_tracking(parser)
    parser.add_argument(
        "--address",
        metavar="RAY",
        help="of a Ray cluster, whose every node is looked at (default: this machine alone)",
    )


def run(args: argparse.Namespace) -> int:
    """Print what was found; return 1 if anything is bad, else 0.

    Raises:
        UserError: the store's name cannot be used, or the cluster cannot be joined.
    """
    store = Store.open(args.store)
    with _marked(store.root) as (mark, refused):
        driver = survey(str(store.root), mark)
        if refused:
            driver = replace(driver, store=refused)
        findings = list(judge(driver))
        findings.append(_tracking(store, args.tracking_uri))
        if args.address is not None:
            with cluster(args.address, None, None, verbose=False):
                findings += _nodes(driver, store.root, mark)
    print("\n".join(_lines(findings)))
    bad, warned = (sum(one.verdict == verdict for one in findings) for verdict in ("bad", "warn"))
    print(f"{len(findings) - bad - warned} ok, {warned} to be thought of, {bad} bad")
    return exit_status(findings)


def _nodes(driver: Survey, root: Path, mark: str) -> Iterator[Finding]:
    for answer in survey_nodes(str(root), mark):
        where = f"node {answer.where}"
        if answer.survey is None or answer.clock is None:
            yield Finding("bad", where, "answer", answer.lost)
        else:
            yield from judge_node(answer.survey, driver, answer.clock, where)


@contextlib.contextmanager
def _marked(root: Path) -> Iterator[tuple[str, str | None]]:
    """A file in the store for as long as it is looked at; a store that was not there is not left.

    Yields:
        The file's name, and why it could not be made, None where it is there.
    """
    mark, is_new, refused = f"doctor-{secrets.token_hex(4)}.tmp", not root.exists(), None
    try:
        root.mkdir(parents=True, exist_ok=True)
        create_json(root / mark, {}, f".{mark}")
    except OSError as error:
        refused = f"{root} cannot be written: {error.strerror}; give another --store, or its rights"
    except UserError as error:  # of a bucket
        refused = str(error)
    try:
        yield mark, refused
    finally:
        with contextlib.suppress(OSError, UserError):
            remove(root / mark)
            if is_new:
                root.rmdir()


def _tracking(store: Store, given: str | None) -> Finding:
    try:
        uri = tracking_uri_of(store, given)
        check_tracking_uri(uri)
        path = sqlite_path(uri)
        if path is None:
            open_client(uri).set_experiment_tag(_DEFAULT_EXPERIMENT, "rotlab.doctor", "was here")
        elif path.exists():
            with closing(sqlite3.connect(path, timeout=5)) as database:
                database.execute("begin immediate")
                database.rollback()
    except TrackingError as error:
        return Finding("bad", "driver", "MLflow", str(error))
    except sqlite3.Error as error:
        said = f"{uri} cannot be written: {error}; end what holds it, or give --tracking-uri"
        return Finding("bad", "driver", "MLflow", said)
    except UNREACHABLE as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        said = f"{uri} cannot be written: {first}; see its log, or give --tracking-uri"
        return Finding("bad", "driver", "MLflow", said)
    is_there = path is None or path.exists()
    return Finding("ok", "driver", "MLflow", f"{uri} {'is written' if is_there else 'can be made'}")


def _lines(findings: list[Finding]) -> Iterator[str]:
    """One line each, in columns."""
    where, what = (max(len(getattr(one, name)) for one in findings) for name in ("where", "what"))
    for one in findings:
        yield f"{one.verdict:<4}  {one.where:<{where}}  {one.what:<{what}}  {one.text}"
