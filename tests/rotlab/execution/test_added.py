"""Stages that came to a study while it ran are known before its plan is saved again."""

from pathlib import Path
from typing import Any

import pytest

from rotlab.execution.added import added, load_grown
from rotlab.execution.find import find_stage
from rotlab.execution.store import Store
from rotlab.execution.study import SavedStudy, next_revision
from rotlab.planning.serial import grown
from rotlab.tracking.journal import Journal
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage

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
    assert set(added(store, study_of(store))) == {LATER.key}  # told after another revision began
    tell(store, started(revision=2))
    assert added(store, study_of(store)) == {}
