"""The store keeps whole results only, and one for each stage."""

import multiprocessing
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rotlab.planning.stage import Resources
from rotlab.store.record import record_from_json, record_to_json
from rotlab.store.store import Store, StoreError, checksums
from rotlab.store.study import SavedStudy
from tests.rotlab.execution.lab import make_stage
from tests.rotlab.store.made import STAGE, make_record


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "store"))


def test_a_record_survives_json(store: Store) -> None:
    record = make_record(store.new_attempt(STAGE))
    assert record_from_json(record_to_json(record)) == record
    by_two = replace(record, processes=2)
    assert record_from_json(record_to_json(by_two)) == by_two
    assert "processes" not in record_to_json(record)  # what older versions wrote, and can read


def test_a_folder_without_a_record_is_no_result(store: Store) -> None:
    (store.new_attempt(STAGE) / "network.pt").write_bytes(b"half")
    assert store.record(STAGE.key, STAGE.kind) is None
    assert store.records([STAGE]) == {}


def test_a_commit_keeps_the_result_and_sweeps_the_rest(store: Store) -> None:
    earlier = store.new_attempt(STAGE)
    (earlier / "checkpoint.pt").write_bytes(b"state")
    attempt = store.new_attempt(STAGE)
    (attempt / "network.pt").write_bytes(b"weights")
    (attempt / "network.pt.part").write_bytes(b"wei")
    record = store.commit(STAGE, attempt, make_record(attempt))
    assert store.records([STAGE]) == {STAGE.key: record}
    assert set(record.files) == {"network.pt"}
    assert (store.result_folder(record) / "network.pt").read_bytes() == b"weights"
    assert not (attempt / "checkpoint.pt").exists()
    assert not earlier.exists()


def test_checksums_are_of_the_content(store: Store) -> None:
    attempt = store.new_attempt(STAGE)
    (attempt / "deep").mkdir()
    (attempt / "deep" / "empty").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert checksums(attempt) == {"deep/empty": empty}


def _commit_one(root: str, barrier: object, winners: object) -> None:
    store = Store.open(root)
    attempt = store.new_attempt(STAGE)
    (attempt / "who").write_text(attempt.name)
    record = make_record(attempt)
    barrier.wait()  # type: ignore[attr-defined]
    winners.put((attempt.name, store.commit(STAGE, attempt, record).attempt))  # type: ignore[attr-defined]


def test_of_processes_that_commit_at_once_exactly_one_wins(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, winners = context.Barrier(4), context.Queue()
    processes = [
        context.Process(target=_commit_one, args=(str(tmp_path), barrier, winners))
        for _ in range(4)
    ]
    for process in processes:
        process.start()
    told = [winners.get(timeout=20) for _ in processes]
    for process in processes:
        process.join(20)
    record = Store(tmp_path).record(STAGE.key, STAGE.kind)
    assert record is not None
    assert {winner for _, winner in told} == {record.attempt}
    folder = Store(tmp_path).result_folder(record)
    assert (folder / "who").read_text() == record.attempt
    assert [path.name for path in folder.parent.iterdir()] == [record.attempt]


def test_an_attempt_goes_on_from_the_newest_one_and_leaves_halves_behind(store: Store) -> None:
    first, second = store.new_attempt(STAGE, "1"), store.new_attempt(STAGE, "2")
    now = time.time()
    for age, folder, text in ((0, first, "new"), (100, second, "old")):
        (folder / "state.json").write_text(text)
        os.utime(folder / "state.json", (now - age, now - age))
    (first / "state.json.part").write_text("ne")
    (first / "error.txt").write_text("boom")
    third = store.new_attempt(STAGE, "3")
    assert {path.name: path.read_text() for path in third.iterdir()} == {"state.json": "new"}
    (third / "state.json").write_text("newer")
    assert (first / "state.json").read_text() == "new"


def test_what_makes_room_while_it_is_copied_has_a_newer_one_to_go_on_from(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.new_attempt(STAGE, "1")
    (first / "state.json").write_text("old")
    copytree = shutil.copytree

    def overtaken(source: Path, target: Path, **more: Any) -> Path:
        if source == first:
            (store.attempts(STAGE.key, STAGE.kind) / "2").mkdir()
            (store.attempts(STAGE.key, STAGE.kind) / "2" / "state.json").write_text("new")
            copytree(source, target, **more)
            raise shutil.Error([(str(first / "state.json"), str(target), "gone")])
        return copytree(source, target, **more)

    monkeypatch.setattr(shutil, "copytree", overtaken)
    assert (store.new_attempt(STAGE, "3") / "state.json").read_text() == "new"


def test_an_attempt_that_saved_nothing_is_passed_over(store: Store) -> None:
    (store.new_attempt(STAGE, "1") / "state.json").write_text("saved")
    store.new_attempt(make_stage("count", name="other"), "2")
    os.utime(store.new_attempt(STAGE, "2") / "state.json")
    (store.new_attempt(STAGE, "3") / "state.json").unlink()
    assert (store.new_attempt(STAGE, "4") / "state.json").read_text() == "saved"


def test_a_record_with_a_file_gone_says_which_and_how_to_mend_it(store: Store) -> None:
    attempt = store.new_attempt(STAGE)
    (attempt / "network.pt").write_bytes(b"weights")
    record = store.commit(STAGE, attempt, make_record(attempt))
    (attempt / "network.pt").unlink()
    with pytest.raises(StoreError, match=r"network\.pt: gone.*remove .*record\.json"):
        store.result_folder(record)


def test_a_store_has_one_name_however_the_way_there_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert Store.open("../store").root == Store.open(f"file://{tmp_path}/store").root


def test_a_record_whose_folder_is_gone_says_how_to_mend_it(store: Store) -> None:
    attempt = store.new_attempt(STAGE)
    record = store.commit(STAGE, attempt, make_record(attempt))
    attempt.rmdir()
    with pytest.raises(StoreError, match=r"gone.*remove .*record\.json"):
        store.result_folder(record)


def test_an_unreadable_record_is_an_error_not_an_absence(store: Store) -> None:
    store.new_attempt(STAGE)
    path = store.root / STAGE.kind / STAGE.key / "record.json"
    path.write_text("{")
    with pytest.raises(StoreError, match=r"record\.json: cannot be read"):
        store.record(STAGE.key, STAGE.kind)
    for text in ('{"format": 0}', '{"format": 1}', "[1]", "null"):
        path.write_text(text)
        with pytest.raises(StoreError, match=r"record\.json: .* to have the stage made again"):
            store.record(STAGE.key, STAGE.kind)


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in ("file", "file/below"):
        with pytest.raises(StoreError, match="is a file"):
            Store.open(str(tmp_path / path))


def test_a_scheme_that_is_not_supported_is_named() -> None:
    with pytest.raises(StoreError, match="scheme 'abfs' is not supported"):
        Store.open("abfs://bucket/store")


def test_the_store_is_found_as_option_then_environment_then_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROTLAB_STORE", raising=False)
    assert Store.open(None).root == tmp_path / "rotlab-store"
    monkeypatch.setenv("ROTLAB_STORE", str(tmp_path / "b"))
    assert Store.open(None).root == tmp_path / "b"
    assert Store.open((tmp_path / "c d").as_uri()).root == tmp_path / "c d"
    assert list(tmp_path.iterdir()) == []


def test_the_last_revision_of_a_study_is_found(store: Store) -> None:
    assert store.study("lr") is None
    study = SavedStudy("lr", 1, "why?", "text", {"count": Resources(2, 0.5)}, {"stages": []})
    for revision in (1, 2, 10):
        store.save_study(replace(study, revision=revision))
    assert store.study("lr") == replace(study, revision=10)
    assert store.studies() == ["lr"]


def test_a_second_driver_of_a_study_learns_of_the_first(store: Store) -> None:
    with store.driving("x", "a") as other, store.driving("lr", "a") as first:
        with store.driving("lr", "b") as second:
            assert (first, other) == (None, None)
            assert str(second).startswith(f"process {os.getpid()} on ")
        assert store.driver("lr") == second
    assert store.driver("lr") is None


def test_a_second_driver_that_outlives_the_first_is_known_and_its_wishes_stay(
    store: Store,
) -> None:
    first = store.driving("lr", "a")
    first.__enter__()
    with store.driving("lr", "b"):
        first.__exit__(None, None, None)
        assert str(store.driver("lr")).startswith(f"process {os.getpid()} on ")
        store.cancel_path("lr").touch()
        store.stop_path("lr", "b").touch()
        with store.driving("lr", "c") as third:
            assert third is None
            assert store.cancel_path("lr").exists()
            assert store.stop_path("lr", "b").exists()
    with store.driving("lr", "d"):
        assert not store.cancel_path("lr").exists()
        assert not store.stop_path("lr", "b").exists()


def test_a_store_that_may_only_be_read_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreError, match="not writable"):
        Store.open(str(tmp_path))
    assert Store.open(str(tmp_path), writing=False).root == tmp_path


def test_what_a_killed_run_was_trying_is_removed_by_the_next_alone(store: Store) -> None:
    left = store.smoke_store("lr", "killed").root
    (left / "count").mkdir(parents=True)
    kept = store.smoke_notes("lr")
    kept.mkdir()
    with store.driving("lr", "a"):
        assert not left.exists()
        tried = store.smoke_store("lr", "a").root
        tried.mkdir()
        with store.driving("lr", "b"):
            assert tried.exists()
    assert kept.exists()
