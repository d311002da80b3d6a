"""`rotlab report`: a study's answer, and all that it stands on, as one HTML page."""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rotlab.commands.comparing import add_comparing, compared
from rotlab.commands.options import add_study
from rotlab.commands.output import check_writable, write_whole
from rotlab.execution.record import Record
from rotlab.execution.store import Store
from rotlab.reporting.outside import outside_of, read_outside
from rotlab.reporting.page.facts import Source
from rotlab.reporting.page.learning import METRICS, chosen
from rotlab.reporting.page.page import Study, page
from rotlab.tracking.beside import beside as with_lines
from rotlab.tracking.query import results
from rotlab.tracking.stage_runs import StageRun, read_curves, read_stages
from rotlab.tracking.uri import default_tracking_uri


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
    add_comparing(parser)


def run(args: argparse.Namespace) -> int:
    """Write the page; return 0.

    Raises:
        UserError: if MLflow holds no such study, or the page cannot be written.
    """
    output = args.output or Path(f"{args.study}.html")
    check_writable(output)
    store = Store.open(args.store, writing=False)
    uri = args.tracking_uri or default_tracking_uri(store.root)
    frame = results(args.study, uri)
    if args.beside:
        frame = with_lines(frame, args.beside)
    comparisons = compared(frame, args, args.study)
    outside = [*read_outside(), *(outside_of(frame) if args.beside else ())]
    stages = read_stages(args.study, uri)
    source = Source(args.study, uri, version("rotlab"), datetime.now(UTC), _recorded(store, stages))
    curves = read_curves(uri, chosen(stages), METRICS)
    made = page(Study(frame, comparisons, stages, curves, outside, source))
    write_whole(output, made.encode())
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
