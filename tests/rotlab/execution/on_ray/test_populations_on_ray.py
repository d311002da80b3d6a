"""A population on a local Ray, its driver killed between two generations."""

import json
from pathlib import Path

import pytest

from rotlab.execution.search.searches import Searches
from rotlab.planning.plan.pedigree import pedigrees
from rotlab.store.decision_book import DecisionBook
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.tracking.query import results
from rotlab.tracking.uri import default_tracking_uri
from tests.rotlab.execution.processes import finish, kill_once, start_driver
from tests.rotlab.execution.search.walks import make_walking_job

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def num_members(store: Path) -> int:
    return sum(path.stem.isdecimal() for path in store.glob("searches/*/*.json"))


def study(store: Path) -> Searches:
    found = make_walking_job(store).searches
    assert isinstance(found, Searches)
    return found


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose driver was killed in the second generation, and whose study was then ended."""
    store = tmp_path_factory.mktemp("killed") / "store"
    driver = start_driver("walks", store)
    kill_once(driver, lambda: num_members(store) >= 8)
    outcome = finish(start_driver("walks", store), 240)
    assert outcome.status == 0, outcome
    return store


def records(store: Path) -> dict[str, Record]:
    return dict(Store(store).records(study(store).plan.stages.values()))


def test_each_generation_went_on_from_the_ends_of_the_one_before(killed: Path) -> None:
    plan, found = study(killed).plan, records(killed)
    assert len(found) == len(plan.stages)
    later = [found[key] for key in plan.continues]
    assert len(later) == 8
    assert {one.continued for one in later} == {plan.continues[one.key] for one in later}
    assert {one.not_continued for one in found.values()} == {None}


def test_it_decides_what_it_decides_without_ray_and_without_a_kill(
    killed: Path, tmp_path: Path
) -> None:
    calm = study(tmp_path / "store")
    found = records(killed)
    calm.catch_up(lambda asked: {one.key: found[one.key].metrics for one in asked})
    decided = [
        {path.name: json.loads(path.read_text()) for path in store.glob("searches/*/*.json")}
        for store in (killed, tmp_path / "store")
    ]
    assert len(decided[0]) == 12 + 12 + 1
    assert decided[0] == decided[1]


def test_some_took_over_and_the_winner_is_replayed_by_every_seed(killed: Path) -> None:
    tunings = study(killed).plan.tunings
    (one,) = pedigrees(tunings, DecisionBook(killed).read(tunings))
    assert len(one.take_overs()) == 2
    frame = results("walks", default_tracking_uri(killed))
    assert list(frame["state"]) == ["FINISHED"] * 2
    assert frame["way"][0] == max(each.value or -9 for each in one.segments[-4:])
