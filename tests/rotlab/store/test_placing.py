"""What a file brings into a store that has something already: that stays as it is."""

import json
from pathlib import Path

import pytest

from rotlab.store.bundle import Manifest, check_place
from rotlab.store.decision_book import decision_files
from rotlab.store.files import read_text
from rotlab.store.pack import members, pack
from rotlab.store.placing import place as place_study
from rotlab.store.store import Store, StoreError
from rotlab.tracking.journal import Journal
from rotnet.errors import UserError
from tests.rotlab.execution.lab import make_plan
from tests.rotlab.execution.search.bowls import make_searching_job
from tests.rotlab.execution.search.throws import make_looking_job
from tests.rotlab.execution.shipped import (
    FIRST,
    PLAN,
    SCORES,
    TUNED,
    add,
    ask,
    bring,
    export,
    files_of,
    make_store,
    read,
    tell,
)
from tests.rotlab.store.put import names, put


@pytest.fixture
def store(place: str) -> Store:
    return make_store(place)


@pytest.fixture
def other(store: Store) -> Store:
    """Return another store, of the same kind, that is empty."""
    return Store.open(f"{store.name}-other")


def test_a_result_that_is_there_is_never_overwritten(
    store: Store, other: Store, tmp_path: Path
) -> None:
    path = export(store, tmp_path / "lab.tar")
    own = add(other, TUNED, "own.pt", attempt="own")
    placed = bring(path, other)
    assert placed.other == (TUNED.key,)
    assert other.record(TUNED.key, TUNED.kind) == own
    assert files_of(other, TUNED) == {"own.pt"}


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_no_study_is_there_of_whose_results_some_may_have_gone(
    store: Store, other: Store, tmp_path: Path
) -> None:
    def check() -> None:
        raise UserError("held up")

    other.root.mkdir()
    with pytest.raises(UserError, match="held up"):
        place_study(read(export(store, tmp_path / "lab.tar")), other, check)
    assert other.studies() == []


def test_a_result_that_was_withdrawn_here_stays_withdrawn(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")
    record = store.record(TUNED.key, TUNED.kind)
    assert record is not None
    store.set_aside(record, "a bad disk")
    assert bring(path, store).withdrawn == (TUNED.key,)
    assert store.record(TUNED.key, TUNED.kind) is None


def test_what_was_made_from_a_result_that_is_left_out_is_left_out(
    store: Store, other: Store, tmp_path: Path
) -> None:
    path = export(store, tmp_path / "lab.tar")
    for stage in (TUNED, SCORES):
        record = store.record(stage.key, stage.kind)
        assert record is not None
        store.set_aside(record, "a bad disk")
    own = add(other, TUNED, "own.pt", attempt="own")
    other.set_aside(own, "of no use")
    add(other, TUNED, "better.pt", attempt="better")
    placed = bring(path, other)
    assert (placed.other, placed.orphaned) == ((TUNED.key,), (SCORES.key,))
    assert other.record(SCORES.key, SCORES.kind) is None


def test_what_searches_decided_goes_along_and_what_was_decided_first_stays(
    other: Store, tmp_path: Path
) -> None:
    job = make_searching_job(tmp_path / "searched")
    assert job.searches is not None
    plan = job.searches.catch_up(lambda _: {})  # the first proposals
    ask(job.store, plan)
    content = list(members(job.store, plan, {}, "results"))
    manifest = Manifest(plan.name, "results", "now", {}, {one.name: one.sealed for one in content})
    path = tmp_path / "searched.tar"
    pack(path, manifest, content)
    decided = decision_files(job.store.root, plan)
    assert len(decided) > 1
    first = other.root / decided[0].relative_to(job.store.root)
    put(first, "{}")
    bring(path, other)
    for one in decided[1:]:
        assert json.loads((other.root / one.relative_to(job.store.root)).read_text()) == json.loads(
            one.read_text()
        )
    assert read_text(first) == "{}"


def test_another_study_of_the_name_is_refused_and_a_longer_one_is_not(
    store: Store, other: Store, tmp_path: Path
) -> None:
    path = export(store, tmp_path / "lab.tar")
    ask(other, make_plan([FIRST]))
    with pytest.raises(StoreError, match="its revision 1 differs from that in the file"):
        bring(path, other)
    assert other.records(PLAN.stages.values()) == {}
    ask(store, make_plan([FIRST]))
    assert len(bring(path, store).same) == 3
    study = store.study("lab")
    assert study is not None
    assert study.revision == 2


def test_journals_are_kept_beside_one_that_differs(
    store: Store, other: Store, tmp_path: Path
) -> None:
    path = export(store, tmp_path / "lab.tar")
    for number in (2, 3):
        tell(store, {"event": "study_ended", "time": float(number), "state": "KILLED"})
        bring(path, store)
    assert len(store.journals("lab")) == 1
    tell(other, {"event": "study_started", "time": 7.0})
    bring(path, other)
    bring(path, other)
    assert [len(Journal(one).read()) for one in other.journals("lab")] == [1, 1]


def test_an_event_comes_through_several_files_once(
    store: Store, other: Store, tmp_path: Path
) -> None:
    for number in range(3):
        bring(export(store, tmp_path / f"{number}.tar"), other)
        for one in (store, other):
            tell(one, {"event": "study_ended", "time": 2.0 + number, "store": one.root.name})
        bring(export(other, tmp_path / f"back-{number}.tar"), store)
    for one in (store, other):
        events = [
            json.dumps(event) for path in one.journals("lab") for event in Journal(path).read()
        ]
        assert len(events) == len(set(events))
    assert len(events) >= 6


def test_a_study_that_is_being_run_is_not_imported_to(store: Store, tmp_path: Path) -> None:
    path = export(store, tmp_path / "lab.tar")
    with store.driving("lab", "run"), pytest.raises(StoreError, match="is being run by process"):
        bring(path, store)


def test_an_import_that_was_killed_is_ended_by_the_next(
    store: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = export(store, tmp_path / "lab.tar")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rotlab.store.placing.create_json", die)
        with pytest.raises(KeyboardInterrupt):
            bring(path, other)
    assert (other.studies(), other.records(PLAN.stages.values())) == ([], {})
    assert set(bring(path, other).added) == set(PLAN.stages)
    assert not [name for name in names(other.root) if "/." in name or "lease" in name]


def test_what_looks_decided_goes_along(tmp_path: Path) -> None:
    job = make_looking_job(tmp_path / "store")
    (key,) = job.plan.families
    path = job.store.root / "looks" / key / "1.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    (member,) = (
        one for one in members(job.store, job.plan, {}, "none") if one.name.startswith("decisions")
    )
    assert member.name == f"decisions/looks/{key}/1.json"
    check_place(member.name)
