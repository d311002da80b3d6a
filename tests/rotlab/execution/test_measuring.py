"""Shares of a device that are measured first, by real workers on a device that is not there."""

from itertools import pairwise

import pytest

from rotlab.store.store import Store
from rotlab.tracking.journal import Event, Journal
from tests.rotlab.execution.drive import shared, shared_more
from tests.rotlab.execution.processes import Outcome, finish, start_driver

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("shared") / "store")


@pytest.fixture(scope="module")
def first(store: Store) -> Outcome:
    """A study of two sorts, of which one fails."""
    return finish(start_driver("shared", store.root), 180)


def started(store: Store, name: str) -> dict[str, float]:
    """Return what each stage of a study was given of the device."""
    events: list[Event] = Journal(store.journal_path(name)).read()
    plan = {"shared": shared, "more": shared_more}[name]()
    return {
        str(plan.stages[event["key"]].config.model_dump()["name"]): event["gpus"]
        for event in events
        if event["event"] == "stage_started"
    }


def test_a_sort_that_was_measured_takes_its_share_and_one_that_was_not_a_whole_device(
    first: Outcome, store: Store
) -> None:
    assert first.status == 1, first
    assert "gpus: auto: measuring the memory of 2 sorts of stages" in first.out
    assert "could not be measured: ValueError: bad cannot count" in first.out
    assert started(store, "shared") == {"a": 0.5, "bad": 1.0}
    done = shared().stages
    assert len(store.records(done.values())) == 4


def test_stages_that_share_a_device_are_at_work_together(first: Outcome, store: Store) -> None:
    assert first.status == 1, first
    records = list(store.records(shared().stages.values()).values())
    spans = sorted((record.started, record.ended) for record in records)
    assert any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def test_nothing_of_the_trial_is_left_but_what_was_measured(first: Outcome, store: Store) -> None:
    assert first.status == 1, first
    assert not list(store.root.glob("studies/*/smoke-*"))
    assert len(list(store.peaks_folder().iterdir())) == 1


def test_what_is_known_is_not_measured_again(first: Outcome, store: Store) -> None:
    assert first.status == 1, first
    more = finish(start_driver("shared more", store.root), 120)
    assert more.status == 0, more
    assert "measuring" not in more.out
    assert "gpus: auto of count: 1/2 of Small 100 measured for 1" in more.out
    assert started(store, "more") == {"a": 0.5}


def test_where_there_is_no_device_stages_take_cores_only_and_that_is_said(
    store: Store,
) -> None:
    apart = Store(store.root.with_name("apart"))
    without = finish(start_driver("shared without", apart.root), 120)
    assert without.status == 0, without
    assert "gpus: auto of count: there is no GPU now, so they take cores only" in without.out
    assert started(apart, "more") == {"a": 0.0}
