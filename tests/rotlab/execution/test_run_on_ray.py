"""A small study on a local Ray: failures stay where they are, and the end tells of them."""

from pathlib import Path

import pytest

from rotlab.execution.store import Store
from tests.rotlab.execution.drive import lengths, mixed
from tests.rotlab.execution.processes import Outcome, finish, start_driver

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("lab") / "store")


@pytest.fixture(scope="module")
def first(store: Store) -> Outcome:
    return finish(start_driver("mixed", store.root))


def test_a_failed_stage_costs_its_dependents_only(first: Outcome, store: Store) -> None:
    assert first.status == 1, first
    stages = mixed().stages
    done = {stages[key].config.model_dump()["name"] for key in store.records(stages.values())}
    assert done == {"good", "mortal", "fine"}


def test_the_end_says_what_is_missing_and_how_to_see_it_fail(first: Outcome, store: Store) -> None:
    bad = next(s for s in mixed().stages.values() if s.config.model_dump()["name"] == "bad")
    assert "missing: 2 of 5 stages: 1 failed, 1 waits for it" in first.out
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
    mortal = next(s for s in mixed().stages.values() if s.config.model_dump()["name"] == "mortal")
    record = store.record(mortal.key, mortal.kind)
    assert record is not None
    assert record.metrics == {"epochs": 3.0, "resumed_at": 1.0}


def test_a_length_goes_on_from_a_shorter_one_and_outlives_its_failure(tmp_path: Path) -> None:
    outcome = finish(start_driver("lengths", tmp_path / "store"))
    assert "missing: 1 of 3 stages: 1 failed" in outcome.out, outcome
    longest, middle, shortest = lengths().stages.values()
    record = Store(tmp_path / "store").record(longest.key, longest.kind)
    assert record is not None
    assert record.metrics == {"accuracy": 8.0}
    assert record.continued == shortest.key
    assert record.not_continued == f"learn {middle.key[:12]} is not done"
