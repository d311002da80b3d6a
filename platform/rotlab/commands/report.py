"""`rotlab report`: a study's answer, and all that it stands on, as one HTML page."""

import argparse
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rotlab.commands.baseline import baseline_of
from rotlab.commands.options import add_data, add_random_splits, add_store, add_study, add_tracking
from rotlab.execution.record import Record
from rotlab.execution.store import Store
from rotlab.planning.datasets import data_root
from rotlab.reporting.comparison import compare
from rotlab.reporting.held import with_test_sets
from rotlab.reporting.outside import outside_of, read_outside
from rotlab.reporting.page.facts import Source
from rotlab.reporting.page.learning import METRICS, chosen
from rotlab.reporting.page.page import Study, page
from rotlab.tracking.beside import beside as with_lines
from rotlab.tracking.query import results
from rotlab.tracking.stage_runs import StageRun, read_curves, read_stages
from rotlab.tracking.uri import default_tracking_uri
from rotnet.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab report`."""
    add_study(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="where the page is written (default: STUDY.html); one that is there is replaced",
    )
    parser.add_argument("--metric", help="what to compare (default: each measure's own)")
    parser.add_argument(
        "--baseline",
        metavar="AXIS=VALUE[,AXIS=VALUE]",
        help="what the other arms are set against (default: as for rotlab results)",
    )
    parser.add_argument(
        "--beside", metavar="FILE", type=Path, help="numbers of a CSV file, as for rotlab results"
    )
    parser.add_argument(
        "--test-set", action="store_true", help="say what holds for other test videos too"
    )
    add_random_splits(parser)
    add_data(parser)
    add_store(parser)
    add_tracking(parser)


def run(args: argparse.Namespace) -> int:
    """Write the page; return 0.

    Raises:
        UserError: if MLflow holds no such study, or the page cannot be written.
    """
    output = args.output or Path(f"{args.study}.html")
    _check_writable(output)
    store = Store.open(args.store, writing=False)
    uri = args.tracking_uri or default_tracking_uri(store.root)
    frame = results(args.study, uri)
    if args.beside:
        frame = with_lines(frame, args.beside)
    comparisons = compare(
        frame,
        args.metric,
        baseline_of(args.baseline) or frame.attrs["baseline"] or None,
        args.random_splits,
    )
    if args.test_set:
        data = data_root(args.data)
        comparisons = [with_test_sets(one, frame, store, args.study, data) for one in comparisons]
    outside = [*read_outside(), *(outside_of(frame) if args.beside else ())]
    stages = read_stages(args.study, uri)
    source = Source(args.study, uri, version("rotlab"), datetime.now(UTC), _recorded(store, stages))
    curves = read_curves(uri, chosen(stages), METRICS)
    _write(output, page(Study(frame, comparisons, stages, curves, outside, source)))
    print(output)
    return 0


def _recorded(store: Store, stages: Iterable[StageRun]) -> Mapping[str, str]:
    """What the store's records add: which code and devices made the results."""
    found = (store.record(one.key, one.kind) for one in stages)
    records = [one for one in found if one is not None]
    return {
        "commit": _counted(one.commit or "unknown" for one in records),
        "device": _counted(one.device for one in records),
        "versions": _versions(records),
    }


def _versions(records: Iterable[Record]) -> str:
    pairs = dict.fromkeys(pair for one in records for pair in one.versions.items())
    return ", ".join(f"{name} {each}" for name, each in sorted(pairs))


def _counted(values: Iterable[str]) -> str:
    counts = Counter(values)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{value} ({count} stages)" for value, count in counts.most_common())


def _check_writable(path: Path) -> None:
    """Refuse a place that cannot be written before anything is read."""
    if path.is_dir():
        raise UserError(f"{path} is a folder: name a file with -o")
    if not path.absolute().parent.is_dir():
        raise UserError(
            f"{path.absolute().parent} does not exist: make it, or name another with -o"
        )


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)
