"""What listeners are told of a run as a whole: that it begins, what was there already, its end."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from rotlab.execution.conduct.listener import Listener
from rotlab.planning.space.budget import Budget
from rotlab.store.record import Record
from rotlab.store.study import SavedStudy
from rotlab.tracking.past import Past


def tell_start(
    listener: Listener,
    study: SavedStudy,
    reused: Iterable[Record],
    budget: Budget | None = None,
) -> None:
    """Tell that a study is being run, within which budget, and what of it was there already."""
    limits = {} if budget is None else {"budget": asdict(budget)}
    listener.record(
        {
            "event": "study_started",
            "time": time.time(),
            "question": study.question,
            "revision": study.revision,
            **limits,
        }
    )
    for record in reused:
        listener.record(
            {
                "event": "stage_ended",
                "time": time.time(),
                "key": record.key,
                "attempt": record.attempt,
                "state": "REUSED",
                "metrics": dict(record.metrics),
                "seconds": record.seconds,
                "error": None,
                **record.origin,
            }
        )


@contextlib.contextmanager
def being_run(
    listener: Listener,
    study: SavedStudy,
    reused: Iterable[Record],
    budget: Budget | None = None,
) -> Iterator[None]:
    """Tell that a study is being run; should an error end that, tell that too.

    Of a run that fails before, nothing is told: its end would be taken for that of the one before.
    """
    tell_start(listener, study, reused, budget)
    try:
        yield
    except Exception:
        tell_end(listener, "FAILED")
        raise


def untold(records: Iterable[Record], past: Past) -> list[Record]:
    """Return the results that a study's journal does not know, or knows otherwise."""
    known = past.metrics
    return [record for record in records if known.get(record.key) != record.metrics]


def tell_end(listener: Listener, state: str) -> None:
    """Tell that a study is not run any more."""
    listener.record({"event": "study_ended", "time": time.time(), "state": state})
