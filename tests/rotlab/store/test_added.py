"""Stages that came to a study while it ran are known before its plan is saved again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rotlab.execution.conduct.growth import Growth
from rotlab.execution.conduct.job import Job
from rotlab.planning.plan.serial import grown
from rotlab.planning.stage import Stage
from rotlab.store.added import added, load_grown
from rotlab.store.find import find_stage
from rotlab.store.needs import needs_of
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy, next_revision
from rotlab.tracking.journal import Journal
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage
from tests.rotlab.execution.search.bowls import make_searching_job
from tests.rotlab.execution.search.throws import TEXT as THROWS
from tests.rotlab.execution.search.throws import make_looking_job
from tests.rotlab.execution.search.throws import value as thrown

FIRST = make_stage("count", name="first")
LATER = make_stage("total", {"x": FIRST}, name="later")
PLAN, GROWN = make_plan([FIRST]), make_plan([FIRST, LATER])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.save_study(next_revision(None, PLAN, "text", {}))
    return store


def study_of(store: Store) -> SavedStudy:
    study = store.study(PLAN.name)
    assert study is not None
    return study


def tell(store: Store, *events: dict[str, Any], run: str | None = None) -> None:
    journal = Journal(store.journal_path(PLAN.name, run))
    for event in events:
        journal.append(event)
    journal.close()


def started(revision: int = 1) -> dict[str, Any]:
    return {"event": "study_started", "time": 1.0, "revision": revision}


def test_nothing_was_added_to_a_study_that_has_not_grown(store: Store) -> None:
    tell(store, started())
    assert added(store, study_of(store)) == {}


@pytest.mark.parametrize("run", [None, "7-beef"])
def test_what_any_driver_added_is_known_and_found_by_its_key(store: Store, run: str | None) -> None:
    tell(store, started(), grown(PLAN, GROWN, 2.0), started(), run=run)  # a retry began as well
    assert added(store, study_of(store)) == {LATER.key: "total"}
    assert load_grown(store, study_of(store), KINDS).stages == GROWN.stages
    study, plan, key = find_stage(LATER.key[:8], store, KINDS)
    assert (study.name, plan.stages[key]) == (PLAN.name, LATER)


def test_what_was_added_to_an_earlier_revision_is_not(store: Store) -> None:
    tell(store, started(revision=9), grown(PLAN, GROWN, 2.0), started())
    assert added(store, study_of(store)) == {}
    tell(store, grown(PLAN, GROWN, 3.0))
    assert set(added(store, study_of(store))) == {LATER.key}
    tell(store, started(revision=2))
    assert added(store, study_of(store)) == {}


def test_cells_that_an_earlier_revision_added_do_not_take_the_place_of_those_of_now(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "store")
    job = make_searching_job(store.root)
    high = grow(store, job, lambda stage: {"height": int(stage.key[:4], 16)}, 10**6).plan
    cells = tuple(replace(cell, overrides={"bowl.rate": 1.0}) for cell in high.cells)
    study = store.study(high.name)
    assert study is not None
    now = next_revision(study, replace(high, cells=cells), f"{job.text}# fewer", job.resources)
    store.save_study(now)
    journal = Journal(store.journal_path(now.name))
    journal.append(started(now.revision))
    journal.close()
    assert load_grown(store, now, job.kinds).cells == cells


def test_what_an_earlier_revision_added_is_still_known_as_of_the_study(store: Store) -> None:
    tell(store, started(), grown(PLAN, GROWN, 2.0))
    store.save_study(replace(study_of(store), revision=2))
    tell(store, started(revision=2))
    assert added(store, study_of(store)) == {}
    needs = needs_of(store, KINDS)
    assert (LATER.kind, LATER.key) in needs.once[PLAN.name]
    assert (LATER.kind, LATER.key) not in needs.asked


def grow(store: Store, job: Job, value: Callable[[Stage], dict[str, float]], most: int) -> Growth:
    """Save a study, and tell of it as a run does that is killed after so many stages."""
    growth = job.searches
    assert growth is not None
    before = growth.catch_up(lambda _: {})
    store.save_study(next_revision(None, before, job.text, job.resources))
    journal = Journal(store.journal_path(before.name))
    journal.append(started())
    ended: set[str] = set()
    while len(ended) < most and (new := growth.plan.stages.keys() - ended):
        key = min(new)
        ended.add(key)
        growth.done(key, value(growth.plan.stages[key]))
        while growth.decide():
            journal.append(grown(before, growth.plan, 2.0))
            before = growth.plan
    journal.close()
    return growth


@pytest.mark.parametrize("most", [3, 21, 10**6])
def test_a_search_that_was_killed_is_known_as_it_stood(tmp_path: Path, most: int) -> None:
    store = Store(tmp_path / "store")
    job = make_searching_job(store.root)
    now = grow(store, job, lambda stage: {"height": int(stage.key[:4], 16)}, most).plan
    study = store.study(now.name)
    assert study is not None
    found = load_grown(store, study, job.kinds)
    assert (found.stages, found.awaited) == (now.stages, now.awaited)
    assert found.rows() == now.rows()
    proposals = [{(p.proposal.tuning, p.proposal.number): p for p in plan.proposed}
                 for plan in (found, now)]  # fmt: skip
    assert proposals[0] == proposals[1]


def test_looks_that_were_killed_are_known_as_they_stood(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    job = make_looking_job(store.root, THROWS)
    now = grow(store, job, lambda one: {"distance": thrown(one), "accuracy": 0.5}, 10**6).plan
    study = store.study(now.name)
    assert study is not None
    found = load_grown(store, study, job.kinds)
    assert (found.stages, found.looks, found.is_decided) == (now.stages, now.looks, True)
    assert {cell.result for cell in found.cells} == {cell.result for cell in now.cells}
