"""A store keeps its contract whether it lies in a folder or in a bucket."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rotlab.planning.plan.decisions import Winner
from rotlab.planning.stage import Resources
from rotlab.store.carrying import send_files
from rotlab.store.decision_book import DecisionBook
from rotlab.store.exclusive import check_exclusive
from rotlab.store.files import create_json
from rotlab.store.lease import HeldElsewhereError, Lease
from rotlab.store.record import Record
from rotlab.store.replica import far_of
from rotlab.store.store import Store
from rotlab.store.study import SavedStudy
from tests.rotlab.execution.lab import make_stage
from tests.rotlab.store.made import STAGE, a_record, committed


def test_a_file_is_created_by_one_only_and_stays_as_that_wrote_it(place: str) -> None:
    path = Store.open(place).root / "searches" / "key" / "1.json"
    path.parent.mkdir(parents=True)
    create_json(path, {"by": "first"}, ".a")
    with pytest.raises(FileExistsError):
        create_json(path, {"by": "second"}, ".b")
    assert json.loads(path.read_text()) == {"by": "first"}


def test_of_those_who_commit_at_once_exactly_one_wins(place: str) -> None:
    store, start = Store.open(place), threading.Barrier(6)
    made = [a_record(store, f"{number}".encode()) for number in range(6)]

    def commit(one: tuple[Path, Record]) -> Record:
        start.wait()
        return store.commit(STAGE, *one)

    with ThreadPoolExecutor(6) as runners:
        counting = list(runners.map(commit, made))
    (winner,) = [number for number, (_, record) in enumerate(made) if record == counting[number]]
    assert counting == [made[winner][1]] * 6
    folder = store.result_folder(counting[0])
    assert (folder / "network.pt").read_text() == str(winner)
    assert [path.name for path in folder.parent.iterdir()] == [counting[0].attempt]


def test_a_result_is_what_the_first_has_committed_and_the_losers_files_go(place: str) -> None:
    store = Store.open(place)
    first, second = a_record(store), a_record(store, b"others")
    assert store.commit(STAGE, *first) == first[1]
    assert store.commit(STAGE, *second) == first[1]
    assert not second[0].exists()
    far = far_of(second[0])
    assert far is None or far.bucket.listed(far.name, deep=True) == {}


def test_without_a_record_there_is_no_result(place: str) -> None:
    store = Store.open(place)
    attempt, record = a_record(store)
    send_files(attempt, record.files)  # and then the node is lost
    assert store.record(STAGE.key, STAGE.kind) is None
    assert store.records([STAGE]) == {}
    assert list(store.all_records()) == []


def test_records_are_found_by_stage_and_by_kind(place: str) -> None:
    store = Store.open(place)
    record = committed(store)
    assert store.records([STAGE, make_stage("count", name="b")]) == {STAGE.key: record}
    assert list(store.all_records()) == [record]
    assert list(store.all_records(["count"])) == [record]
    assert list(store.all_records(["total"])) == []


def test_a_withdrawn_result_counts_no_more_and_stays_with_its_reason(place: str) -> None:
    store = Store.open(place)
    record = committed(store)
    store.set_aside(record, "its data were wrong")
    assert store.record(STAGE.key, STAGE.kind) is None
    assert store.is_withdrawn(STAGE.key, STAGE.kind, record.attempt)
    assert not store.is_withdrawn(STAGE.key, STAGE.kind, "another")
    assert list(store.new_attempt(STAGE).iterdir()) == []  # nothing to go on from
    again = committed(store, b"better")
    assert store.record(STAGE.key, STAGE.kind) == again


def test_studies_are_kept_by_revision_and_the_last_one_is_found(place: str) -> None:
    store = Store.open(place)
    assert store.studies() == []
    study = SavedStudy("lab", 1, "Why?", "", {"count": Resources()}, {"cells": []})
    store.save_study(study)
    store.save_study(replace(study, question="What?"))  # too late
    store.save_study(replace(study, revision=2))
    assert store.studies() == ["lab"]
    found = store.revisions("lab")
    assert [one.revision for one in found] == [1, 2]
    assert found[0].question == "Why?"


def test_a_decision_is_made_once(place: str) -> None:
    root = Store.open(place).root
    first = Winner("key", 1, {"lr": 0.1}, 0.5, {1: 0.5})
    assert DecisionBook(root).keep_winner(first) == first
    other = replace(first, value=0.7)
    assert DecisionBook(root).keep_winner(other) == first


def test_a_lease_is_one_holders_and_gone_with_him(place: str) -> None:
    path = Store.open(place).lease_path(STAGE)
    with Lease(path, "a", None, lambda: True):
        with pytest.raises(HeldElsewhereError) as held, Lease(path, "b", None, lambda: True):
            pass
        assert json.loads(str(held.value))["attempt"] == "a"
    with Lease(path, "b", None, lambda: True):
        pass


def test_a_stale_lease_is_taken_over_and_its_holder_lets_it_be(place: str) -> None:
    path = Store.open(place).lease_path(STAGE)
    with Lease(path, "a", None, lambda: False):
        with pytest.raises(HeldElsewhereError) as held, Lease(path, "b", None, lambda: True):
            pass
        second = Lease(path, "b", str(held.value), lambda: True)
        second.__enter__()
    with pytest.raises(HeldElsewhereError), Lease(path, "c", None, lambda: True):
        pass
    second.__exit__(None, None, None)
    with Lease(path, "c", None, lambda: True):
        pass


def test_the_first_to_run_a_study_is_known_to_the_second(place: str) -> None:
    store = Store.open(place)
    with store.driving("lab", "1-a") as first, store.driving("lab", "1-b") as second:
        assert first is None
        assert second is not None
        assert f"process {os.getpid()} on" in second
        assert store.driver("lab") == second
    assert store.driver("lab") is None


def test_a_place_is_tried_out_and_left_as_it_was(place: str) -> None:
    root = Store.open(place).root
    root.mkdir(parents=True)
    check_exclusive(root)
    assert list(root.iterdir()) == []
    far = far_of(root)
    assert far is None or far.bucket.listed("", deep=True) == {}
