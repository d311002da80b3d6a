"""Two studies on one cluster of four slots: who comes second gets a share within a few stages."""

import os
import time
from pathlib import Path

import pytest

from rotlab.store.store import Store
from rotlab.tracking.journal import Event, Journal
from tests.chaos.nodes import nodes_up
from tests.rotlab.execution.processes import finish, start_driver, wait_until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def events(store: Store, study: str) -> list[Event]:
    path = store.journal_path(study)
    return list(Journal(path).read()) if path.exists() else []


def has_begun(store: Store, study: str) -> bool:
    return any(event["event"] == "stage_started" for event in events(store, study))


def at_work(store: Store, study: str) -> list[tuple[float, float]]:
    """Return from when to when each stage of a study was at work."""
    began = {e["key"]: e["time"] for e in events(store, study) if e["event"] == "stage_started"}
    ended = {e["key"]: e["time"] for e in events(store, study) if e["event"] == "stage_ended"}
    return [(began[key], ended[key]) for key in began]


def load(spans: list[tuple[float, float]], begin: float, end: float) -> float:
    """Return how many stages were at work in a while, on average."""
    return sum(max(0.0, min(b, end) - max(a, begin)) for a, b in spans) / (end - begin)


def test_who_comes_second_gets_half_and_nobody_fails_or_doubles_a_stage(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with nodes_up(1, os.environ, cores=4) as nodes:
        first = start_driver("first naps", store.root, address=nodes.address, env=nodes.env)
        wait_until(lambda: has_begun(store, "first"), 240)
        second = start_driver("naps", store.root, address=nodes.address, env=nodes.env)
        began = time.time()
        outcomes = [finish(second, 400), finish(first, 400)]
    assert [one.status for one in outcomes] == [0, 0], outcomes
    one, two = at_work(store, "first"), at_work(store, "second")
    assert (len(one), len(two)) == (60, 20)
    assert min(start for start, _ in two) > began
    assert min(start for start, _ in two) < max(end for _, end in one)  # it did not wait for all
    starts = sorted(start for start, _ in two)
    begin, end = starts[6], starts[16]  # both had their shares, and enough to do
    assert 1.4 < load(two, begin, end) < 2.1
    assert 1.0 < load(one, begin, end) < 2.6
    assert not list(store.root.glob("clusters/*/*"))  # both have taken back what they wished
