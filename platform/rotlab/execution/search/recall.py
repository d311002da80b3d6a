"""What a store knows of the stages that a search compares, and of who else asks for them."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rotlab.planning.stage import Stage
from rotlab.store.added import growths
from rotlab.store.store import Store
from rotlab.tracking.journal import Event, Journal
from rotlab.tracking.past import in_order
from rotnet.learning.history import HISTORY

Curve = Mapping[int, float]  # step -> value


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of stages from before.

    Args:
        events: returns those of the study, in order.
        curve: returns what a stage that is done told of a metric.
        is_asked_beside: says whether another study asks for a stage, though it is no proposal of
            the search there.
    """

    events: Callable[[], Iterable[Event]]
    curve: Callable[[Stage, str], Curve]
    is_asked_beside: Callable[[str, str], bool]


def memory_of(store: Store, study: str) -> Memory:
    """Return what a store knows of a study's stages, and of other studies that ask for them."""

    def events() -> Iterable[Event]:
        """Of one driver, in the order in which it heard of them, by which it decided."""
        journals = store.journals(study)
        if len(journals) == 1:
            return Journal(journals[0]).read()
        return in_order(Journal(path).read() for path in journals)

    def curve(stage: Stage, metric: str) -> Curve:
        record = store.record(stage.key, stage.kind)
        if record is None or HISTORY not in record.files:
            return {}
        rows = json.loads(store.result_file(record, HISTORY).read_text(encoding="utf-8"))
        return {int(row["step"]): row[metric] for row in rows if metric in row}

    known: dict[str, tuple[object, _Asked]] = {}

    def asked(name: str) -> _Asked:
        """What another study asks for; read again only where that may have changed."""
        files = [*store.study_folder(name).glob("[0-9]*.json"), *store.journals(name)]
        stamp = sorted((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
        if name not in known or known[name][0] != stamp:
            known[name] = stamp, _asked(store, name)
        return known[name][1]

    def is_asked_beside(tuning: str, key: str) -> bool:
        others = (asked(name) for name in store.studies() if name != study)
        return any(key in one.fixed or one.tried.get(key, {tuning}) != {tuning} for one in others)

    return Memory(events, curve, is_asked_beside)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a study asks for: stages of cells, and stages that searches try -> those searches."""

    fixed: frozenset[str]
    tried: Mapping[str, set[str]]


def _asked(store: Store, name: str) -> _Asked:
    saved = store.study(name)
    if saved is None:
        return _Asked(frozenset(), {})
    events = list(growths(store, saved))
    cells = [*saved.plan["cells"], *(cell for event in events for cell in event["cells"])]
    proposed = [
        (one["proposal"]["tuning"], one["stages"]) for one in saved.plan.get("proposed", ())
    ]
    proposed += [(one["tuning"], one["results"]) for event in events for one in event["proposals"]]
    tried: dict[str, set[str]] = {}
    for tuning, keys in proposed:
        for key in keys:
            tried.setdefault(key, set()).add(tuning)
    return _Asked(frozenset(key for cell in cells for key in cell["stages"]), tried)
