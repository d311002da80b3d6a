"""A small study on a local Ray: failures stay where they are, and the end tells of them."""

import pytest

from rotlab.planning.stage import Stage
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from tests.rotlab.execution.drive import mixed
from tests.rotlab.execution.processes import Outcome, finish, start_driver

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("lab") / "store")


@pytest.fixture(scope="module")
def first(store: Store) -> Outcome:
    return finish(start_driver("mixed", store.root))


def stage_of(name: str) -> Stage:
    return next(s for s in mixed().stages.values() if s.config.model_dump()["name"] == name)


def test_a_failed_stage_costs_its_dependents_only(first: Outcome, store: Store) -> None:
    assert first.status == 1, first
    stages = mixed().stages
    done = {stages[key].config.model_dump()["name"] for key in store.records(stages.values())}
    assert done == {"good", "mortal", "fine", "hung", "large", "a"}


def test_the_end_says_what_is_missing_and_how_to_see_it_fail(first: Outcome, store: Store) -> None:
    bad = stage_of("bad")
    assert "missing: 3 of 10 stages: 2 failed, 1 waits for them" in first.out
    assert "1 count stage failed: ValueError: bad cannot count" in first.out
    assert f"rotlab run-stage {bad.key[:12]} --local --store {store.root}" in first.out
    assert f"results: rotlab results lab --store {store.root}" in first.out


def test_ray_is_not_heard(first: Outcome) -> None:
    assert "ray" not in (first.out + first.err).lower().replace("/ray", "")
    assert len(first.err.splitlines()) < 5, first.err


def test_a_stage_whose_worker_was_killed_goes_on_from_its_checkpoint(
    first: Outcome, store: Store
) -> None:
    assert first.status == 1
    mortal = stage_of("mortal")
    record = store.record(mortal.key, mortal.kind)
    assert record is not None
    assert record.metrics == {"epochs": 3.0, "resumed_at": 1.0}


def test_a_hung_stage_is_ended_and_goes_on_and_its_log_says_where_it_stood(
    first: Outcome, store: Store
) -> None:
    assert first.status == 1
    hung = stage_of("hung")
    record = store.record(hung.key, hung.kind)
    assert record is not None
    assert record.metrics["resumed_at"] == 1.0
    before, after = (path.read_text() for path in store.logs(hung))
    assert "in count" in before
    assert "finished in" in after


def test_a_stage_without_memory_goes_on_with_a_larger_share(first: Outcome, store: Store) -> None:
    assert first.status == 1
    key = stage_of("large").key
    events = [e for e in Journal(store.journal_path("lab")).read() if e.get("key") == key]
    assert [e["cpus"] for e in events if e["event"] == "stage_started"] == [1, 2]
    ends = [e for e in events if e["event"] == "stage_ended"]
    assert [e["state"] for e in ends] == ["KILLED", "FINISHED"]
    assert ends[0]["cause"] == "memory"


def test_a_length_goes_on_from_a_shorter_one_and_outlives_its_failure(
    first: Outcome, store: Store
) -> None:
    assert first.status == 1
    longest, middle, shortest = (s for s in mixed().stages.values() if s.kind == "learn")
    record = store.record(longest.key, longest.kind)
    assert record is not None
    assert record.metrics == {"accuracy": 8.0}
    assert record.continued == shortest.key
    assert record.not_continued == f"learn {middle.key[:12]} is not done"


def test_a_stage_is_tried_again_alone_and_with_another_share(first: Outcome, store: Store) -> None:
    assert first.status == 1
    journal = Journal(store.journal_path("lab"))
    before = len(journal.read())
    again = finish(start_driver("mixed", store.root, only="bad"))
    assert again.status == 1, again
    assert "lab: 1 of 1 stages to do" in again.out
    assert "missing: 1 of 1 stages: 1 failed" in again.out
    events = journal.read()[before:]
    started = [e for e in events if e["event"] == "stage_started"]
    assert [(e["key"], e["cpus"]) for e in started] == [(stage_of("bad").key, 2)]
    assert events[-1]["state"] == "FAILED"
