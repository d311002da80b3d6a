"""A search on a local Ray, its driver killed: the same proposals, values and winners."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotlab.tracking.query import results
from rotlab.tracking.uri import default_tracking_uri
from tests.rotlab.execution.processes import finish, kill_once, start_driver
from tests.rotlab.execution.search.bowls import make_searching_job

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def decisions(store: Path) -> dict[str, str]:
    """Every decision as it lies there."""
    return {
        path.relative_to(store).as_posix(): path.read_text()
        for path in sorted((store / "searches").glob("*/*.json"))
    }


def num_proposals(store: Path) -> int:
    return sum(Path(name).stem.isdecimal() for name in decisions(store))


def kill_after(store: Path, least: int) -> None:
    """Run the search until it has made so many proposals, and kill its driver."""
    driver = start_driver("search", store)
    kill_once(driver, lambda: num_proposals(store) >= least)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("calm") / "store"
    outcome = finish(start_driver("search", store), 240)
    assert outcome.status == 0, outcome
    assert "done: all" in outcome.out
    return store


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose driver was killed once while it searched, after a number of proposals."""
    store = tmp_path_factory.mktemp("killed") / "store"
    rng = random.Random(0)  # noqa: S311
    for least in (rng.randint(5, 8), rng.randint(10, 15)):
        kill_after(store, least)
    outcome = finish(start_driver("search", store), 240)
    assert outcome.status == 0, outcome
    return store


def test_every_arm_ends_at_the_best_that_was_tried(calm: Path) -> None:
    frame = results("bowls", default_tracking_uri(calm))
    assert list(frame["state"]) == ["FINISHED"] * 4
    winners = [
        json.loads(text)
        for name, text in decisions(calm).items()
        if name.endswith("winner-10.json")
    ]
    assert len(winners) == 2
    for winner in winners:
        assert winner["value"] == max(one for one in winner["values"].values() if one is not None)
    assert sorted(set(frame["height"])) == sorted(winner["value"] for winner in winners)


def test_it_makes_as_many_proposals_as_asked(calm: Path) -> None:
    assert num_proposals(calm) == 20


def test_killed_twice_it_decides_the_same(calm: Path, killed: Path) -> None:
    assert decisions(killed) == decisions(calm)


def test_killed_twice_it_has_the_same_results(calm: Path, killed: Path) -> None:
    frames = [results("bowls", default_tracking_uri(store)) for store in (calm, killed)]
    for frame in frames:
        frame["state"] = "FINISHED"
    assert frames[0].equals(frames[1])


def test_a_search_that_has_ended_has_nothing_to_do(calm: Path) -> None:
    before = decisions(calm)
    outcome = finish(start_driver("search", calm), 240)
    assert (outcome.status, "nothing to do" in outcome.out) == (0, True), outcome
    assert decisions(calm) == before


def test_the_journal_tells_what_the_plan_grew_by(calm: Path) -> None:
    events: list[dict[str, Any]] = list(Journal(Store(calm).journal_path("bowls")).read())
    grown = [event for event in events if event["event"] == "study_grew"]
    assert sum(len(event["proposals"]) for event in grown) == 16  # 2 of each arm at the start
    assert sum(len(event["cells"]) for event in grown) == 4
    job = make_searching_job(calm)
    assert job.plan.stages.keys() >= {
        stage["key"] for event in grown for stage in event["stages"]
    } - {event["key"] for event in events if event.get("state") == "FAILED"}
