"""`rotlab report`: a study's answer, and all that it stands on, as one HTML page."""

import argparse
import contextlib
import hashlib
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from rotlab.commands.comparing import add_comparing, compared
from rotlab.commands.kept import attention_of, confusions_of
from rotlab.commands.options import add_study, an_amount
from rotlab.commands.output import check_writable, write_whole
from rotlab.execution.search.importance import Importance, importances
from rotlab.execution.stage.gauges import PREFIX as GAUGES
from rotlab.planning.kinds import load_kinds
from rotlab.planning.plan.findings import Finding, findings
from rotlab.planning.plan.fronts import Front, fronts
from rotlab.planning.plan.pedigree import Pedigree, pedigrees
from rotlab.planning.plan.serial_searches import searches_from_json
from rotlab.reporting.outside import outside_of, read_outside
from rotlab.reporting.page.facts import Source
from rotlab.reporting.page.learning import METRICS, chosen
from rotlab.reporting.page.page import Study, page
from rotlab.store.decision_book import DecisionBook
from rotlab.store.record import Record
from rotlab.store.shelf import tracking_uri_of
from rotlab.store.store import Store
from rotlab.tracking.beside import beside as with_lines
from rotlab.tracking.query import results
from rotlab.tracking.stage_runs import StageRun, read_curves, read_stages
from rotlab.tracking.study_page import PAGE, log_page
from rotlab.tracking.uri import TrackingError
from rotnet.errors import UserError

EVERY_S, SHORTEST_S = 15.0, 2.0


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
    parser.add_argument(
        "--watch",
        action="store_true",
        help="follow the study: the page is written anew when something has changed, and loads "
        "itself again where it is open; Ctrl-C ends that",
    )
    parser.add_argument(
        "--every",
        metavar="S",
        type=an_amount("seconds"),
        default=EVERY_S,
        help="with --watch: seconds between looks [%(default)g]",
    )
    parser.add_argument(
        "--to-mlflow",
        action="store_true",
        help=f"put the page into MLflow, as {PAGE} of the study's run; a file only with -o",
    )
    parser.add_argument(
        "--no-attention",
        dest="attention",
        action="store_false",
        help="leave out attention maps, which show a frame of a few videos",
    )
    add_comparing(parser)


def run(args: argparse.Namespace) -> int:
    """Write the page; return 0.

    Raises:
        UserError: if MLflow holds no such study, or the page cannot be written.
    """
    output = args.output or (None if args.to_mlflow else Path(f"{args.study}.html"))
    if output is not None:
        check_writable(output)
    store = Store.open(args.store, writing=False)
    uri = tracking_uri_of(store, args.tracking_uri)
    if not args.watch:
        made = _page(args, store, uri, _look(args, uri))
        _put(args, uri, made, output)
        print(output or f"{PAGE} of the run of {args.study} in MLflow: {uri}")
        return 0
    if output is None:
        raise UserError("--watch writes a file: give -o FILE as well, or leave out --to-mlflow")
    return _follow(args, store, uri, output)


@dataclass(frozen=True)
class _Seen:
    """A study as it was when last looked at."""

    frame: pd.DataFrame
    stages: Sequence[StageRun]

    def digest(self) -> str:
        """Return what changes with anything that a page shows but how busy machines are."""
        told = [
            replace(one, metrics={k: v for k, v in one.metrics.items() if not k.startswith(GAUGES)})
            for one in self.stages
        ]
        text = f"{self.frame.to_json(default_handler=str)}{self.frame.attrs}{told}"
        return hashlib.sha256(text.encode()).hexdigest()


def _look(args: argparse.Namespace, uri: str) -> _Seen:
    return _Seen(results(args.study, uri), read_stages(args.study, uri))


def _follow(args: argparse.Namespace, store: Store, uri: str, output: Path) -> int:
    """Write the page whenever something has changed, until somebody presses Ctrl-C."""
    every_s, last, trouble = max(args.every, SHORTEST_S), "", ""
    seen = _look(args, uri)
    print(f"{output} follows {args.study}; Ctrl-C ends that", flush=True)
    with _ctrl_c() as is_over:
        while not is_over.is_set():
            if seen.digest() != last:
                _put(args, uri, _page(args, store, uri, seen, every_s), output)
                last = seen.digest()
            if is_over.wait(every_s):
                break
            try:
                seen, trouble = _look(args, uri), ""
            except TrackingError as error:  # a server that is away comes back
                if str(error) != trouble:
                    print(f"{error}; looked for again", file=sys.stderr)
                trouble = str(error)
        _put(args, uri, _page(args, store, uri, seen), output)
    print(f"{output} is as of now, and follows no more")
    return 0


@contextlib.contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets: raised, it would be lost in code that drops what is raised there.

    A second one interrupts.
    """
    pressed = threading.Event()

    def press(*_: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _put(args: argparse.Namespace, uri: str, made: str, output: Path | None) -> None:
    if output is not None:
        write_whole(output, made.encode())
    if args.to_mlflow:
        log_page(uri, args.study, made)


def _page(
    args: argparse.Namespace, store: Store, uri: str, seen: _Seen, every_s: float | None = None
) -> str:
    frame = with_lines(seen.frame, args.beside) if args.beside else seen.frame
    comparisons = compared(frame, args, args.study)
    outside = [*read_outside(), *(outside_of(frame) if args.beside else ())]
    made, records = datetime.now(UTC), _recorded(store, seen.stages)
    source = Source(args.study, uri, version("rotlab"), made, records)
    curves = read_curves(uri, chosen(seen.stages), METRICS)
    study = Study(
        frame,
        comparisons,
        seen.stages,
        curves,
        outside,
        source,
        confusions_of(store, uri, seen.frame, seen.stages),
        _searches(store, args.study),
        attention_of(store, uri, seen.frame, seen.stages) if args.attention else None,
        populations=_populations(store, args.study),
        fronts=_fronts(store, args.study),
        found=_found(store, args.study),
    )
    return page(study, every_s)


def _searches(store: Store, name: str) -> list[Importance]:
    study = store.study(name)
    return [] if study is None else importances(store, study, load_kinds())


def _populations(store: Store, name: str) -> list[Pedigree]:
    study = store.study(name)
    tunings = {} if study is None else searches_from_json(study.plan).get("tunings", {})
    return pedigrees(tunings, DecisionBook(store.root).read(tunings))


def _found(store: Store, name: str) -> list[Finding]:
    study = store.study(name)
    tunings = {} if study is None else searches_from_json(study.plan).get("tunings", {})
    return list(findings(tunings, DecisionBook(store.root).read(tunings)))


def _fronts(store: Store, name: str) -> list[Front]:
    study = store.study(name)
    tunings = {} if study is None else searches_from_json(study.plan).get("tunings", {})
    return list(fronts(tunings, DecisionBook(store.root).read(tunings)))


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
