"""What a store knows of the stages that a search compares, and of who else asks for them."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rotlab.execution.added import growths
from rotlab.execution.store import Store
from rotlab.planning.stage import Stage
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
        rows = json.loads((store.result_folder(record) / HISTORY).read_text(encoding="utf-8"))
        return {int(row["step"]): row[metric] for row in rows if metric in row}

    def is_asked_beside(tuning: str, key: str) -> bool:
        others = (name for name in store.studies() if name != study)
        return any(_asks(store, name, tuning, key) for name in others)

    return Memory(events, curve, is_asked_beside)


def _asks(store: Store, name: str, tuning: str, key: str) -> bool:
    """Whether a study asks for a stage, be it a proposal of that search there or not."""
    saved = store.study(name)
    if saved is None:
        return False
    events = list(growths(store, saved))
    cells = [*saved.plan["cells"], *(cell for event in events for cell in event["cells"])]
    if any(key in cell["stages"] for cell in cells):
        return True
    proposed = [
        (one["proposal"]["tuning"], one["stages"]) for one in saved.plan.get("proposed", ())
    ]
    proposed += [(one["tuning"], one["results"]) for event in events for one in event["proposals"]]
    return any(key in keys and own != tuning for own, keys in proposed)
