"""`rotlab export`: a study in one file, to be opened by `rotlab import` elsewhere."""

import argparse
import importlib.metadata
import json
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rotlab.commands.options import add_store, add_study, add_tracking
from rotlab.execution.stage import provenance
from rotlab.planning.cost.bill_outline import size
from rotlab.planning.kinds import load_kinds
from rotlab.planning.space.names import unknown
from rotlab.reporting.comparison import compare
from rotlab.reporting.report import report_markdown, tidy_csv
from rotlab.store.bundle import Manifest
from rotlab.store.gate import counting
from rotlab.store.pack import FORMS, Member, form_of, members, of_bytes, pack
from rotlab.store.record import Record
from rotlab.store.shelf import tracking_uri_of
from rotlab.store.store import Store
from rotlab.tracking.query import results
from rotlab.tracking.uri import TrackingError
from rotnet.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotlab export`."""
    add_study(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        required=True,
        help=f"to be written; its ending says how: {', '.join(FORMS)}",
    )
    parser.add_argument(
        "--weights",
        choices=("results", "all", "none"),
        default="results",
        help="networks to take along: those that the results are of, all of them with their "
        "training states, or none [%(default)s]; scores and numbers go along in any case",
    )
    parser.add_argument(
        "--without-tables", action="store_true", help="leave out results.csv and results.md"
    )
    add_store(parser)
    add_tracking(parser)


def run(args: argparse.Namespace) -> int:
    """Write a study into a file; return 0.

    Raises:
        UserError: if there is no such study, or the file cannot be written.
    """
    form_of(args.output)
    store = Store.open(args.store, writing=False)
    with counting(store.root):
        study = store.study(args.study)
        if study is None:
            said = unknown("study", args.study, store.studies())
            raise UserError(f"{said}; looked in {store.name}")
        plan = study.load_plan(load_kinds())
        records = store.records(plan.stages.values())
        content = [
            of_bytes("search_space.yaml", study.text.encode()),
            of_bytes("environment.json", _text(_environment(records.values()))),
            *([] if args.without_tables else _tables(args, store)),
            *members(store, plan, records, args.weights),
        ]
        made = Manifest(
            study=study.name,
            weights=args.weights,
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            by={"versions": provenance.versions(), "commit": provenance.commit()},
            members={member.name: member.sealed for member in content},
        )
        pack(args.output, made, content)
    print(
        f"{args.output}: {study.name}, {len(records)} of {len(plan.stages)} results, weights: "
        f"{args.weights}, {len(content)} members, {size(args.output.stat().st_size)}"
    )
    return 0


def _tables(args: argparse.Namespace, store: Store) -> Iterator[Member]:
    """The results as `rotlab results` has them."""
    try:
        frame = results(args.study, tracking_uri_of(store, args.tracking_uri))
    except TrackingError as error:
        raise UserError(f"no tables: {error}; or give --without-tables") from error
    comparisons = compare(frame, None, frame.attrs["baseline"] or None)
    yield of_bytes("results.csv", f"{tidy_csv(frame)}\n".encode())
    yield of_bytes(
        "results.md", f"{report_markdown(comparisons, frame.attrs['question'])}\n".encode()
    )


def _environment(records: Iterable[Record]) -> Mapping[str, Any]:
    """What is installed where the file is made, and what made the results."""
    records = list(records)
    return {
        "here": {
            "commit": provenance.commit(),
            "platform": platform.platform(),
            "python": platform.python_version(),
            "packages": {
                one.metadata["Name"]: one.version
                for one in sorted(
                    importlib.metadata.distributions(), key=lambda one: str(one.metadata["Name"])
                )
            },
        },
        "results": {
            "commits": Counter(record.commit or "no commit" for record in records),
            "devices": Counter(record.device for record in records),
            "versions": [
                {"versions": json.loads(text), "number": number}
                for text, number in Counter(
                    json.dumps(dict(record.versions), sort_keys=True) for record in records
                ).items()
            ],
        },
    }


def _text(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, indent=1, sort_keys=True).encode()
