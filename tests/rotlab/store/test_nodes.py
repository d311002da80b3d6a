"""What one node leaves in a bucket, another has: results, states, journals, who is at work."""

import contextlib
import json
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rotlab.cluster.survey import look_at_store
from rotlab.execution.stage.perform import Work, perform
from rotlab.store.bucket import Bucket
from rotlab.store.files import StoreError, create_json
from rotlab.store.mirror import mirrored
from rotlab.store.replica import far_of, replica_of
from rotlab.store.shelf import shelf_of
from rotlab.store.store import Store, checksums
from rotlab.store.study import SavedStudy
from rotlab.store.tenure import Pace, tenure
from rotlab.tracking.artifacts import Result, sort_files
from rotlab.tracking.journal import Journal
from rotnet.learning.watch import Stopped, Unwatched
from tests.rotlab.execution.lab import KINDS, make_stage
from tests.rotlab.store.made import STAGE, a_record, committed
from tests.rotlab.store.nodes import Nodes


def test_another_node_has_the_result_with_every_byte(node: Nodes, any_url: str) -> None:
    record = committed(node("one", any_url), state={"sha256": "", "inputs": {}})
    other = node("two", any_url)
    assert other.record(STAGE.key, STAGE.kind) == record
    folder = other.result_folder(record)
    assert "two" in folder.parts
    assert checksums(folder) == record.files


def test_a_result_without_a_file_is_one_on_another_node_too(node: Nodes, any_url: str) -> None:
    store = node("one", any_url)
    attempt, record = a_record(store)
    (attempt / "network.pt").unlink()
    record = store.commit(STAGE, attempt, replace(record, files={}))
    assert list(node("two", any_url).result_folder(record).iterdir()) == []


def test_a_file_that_is_not_what_the_record_says_is_not_used(node: Nodes, any_url: str) -> None:
    store = node("one", any_url)
    record = committed(store)
    far = far_of(store.result_place(record))
    assert far is not None
    far.bucket.replace(f"{far.name}/network.pt", b"something else")
    with pytest.raises(StoreError, match=r"network\.pt: damaged"):
        node("two", any_url).result_folder(record)
    far.bucket.remove(f"{far.name}/network.pt")
    with pytest.raises(StoreError, match=f"{any_url}.*gone, though count"):
        node("two", any_url).result_folder(record)


def test_a_stage_goes_on_on_another_node_from_its_last_whole_state(
    node: Nodes, any_url: str
) -> None:
    stage = make_stage("learn", name="l", epochs=5)

    class Stopping(Unwatched):
        """Stops after three epochs."""

        asked = 0

        def should_stop(self) -> Any:
            self.asked += 1
            return "now" if self.asked > 3 else "no"

    def work() -> Work:
        root = replica_of(any_url)
        return Work({stage.key: stage}, KINDS, {}, root, {"learn": 1}, stale_s=600.0)

    one = node("one", any_url)
    with pytest.raises(Stopped):
        perform(stage.key, work(), Stopping())
    steps: list[int] = []

    class Counting(Unwatched):
        """Notes its steps."""

        def report(self, step: int, metrics: Any) -> None:  # noqa: ARG002  (called so)
            steps.append(step)

    node("two", any_url)
    record = perform(stage.key, work(), Counting())
    assert steps == [4, 5]
    assert record.metrics == {"accuracy": 5.0}
    far = far_of(one.home(stage.key, stage.kind))
    assert far is not None
    left = far.bucket.listed(far.name, deep=True)
    assert not [name for name in left if name.startswith(("state", "lease"))]


def test_half_an_upload_of_a_state_is_not_seen(
    node: Nodes, any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = node("one", any_url)
    folder = store.new_attempt(STAGE)

    def stop_at(epoch: str) -> None:
        for name in ("network.pt", "optimizer.pt"):
            (folder / name).write_text(f"{name} {epoch}")
        with contextlib.suppress(Stopped), mirrored(Unwatched(), folder) as watch:
            watch.saved(1, folder / "network.pt")
            raise Stopped

    stop_at("1")
    upload, sent = Bucket.upload, list[str]()

    def cut(self: Bucket, path: Path, name: str) -> None:
        if sent:
            raise OSError("the node is lost")
        sent.append(name)
        upload(self, path, name)

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "upload", cut)
        stop_at("2")
    assert len(sent) == 1
    begun = node("two", any_url).new_attempt(STAGE)
    assert (begun / "network.pt").read_text() == "network.pt 1"
    assert (begun / "optimizer.pt").read_text() == "optimizer.pt 1"


def test_what_was_withdrawn_elsewhere_is_not_gone_on_from_here(node: Nodes, any_url: str) -> None:
    here = node("one", any_url)
    (here.new_attempt(STAGE) / "checkpoint.pt").write_bytes(b"by a broken device")
    there = node("two", any_url)
    record = committed(there)
    there.set_aside(record, "the device was broken")
    assert list(node("one", any_url).new_attempt(STAGE).iterdir()) == []


def test_a_journal_is_known_to_the_next_node_though_the_first_was_lost(
    node: Nodes, any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotlab.store.courier.DRIVER_LOOKS_S", 0.05)
    one = node("one", any_url)
    one.save_study(SavedStudy("lab", 1, "Why?", "", {}, {"cells": []}))
    with one.driving("lab", "1-a"):
        journal = Journal(one.journal_path("lab"))
        for number in range(3):
            journal.append({"event": "step", "number": number})
            time.sleep(0.2)
        two = node("two", any_url)  # while the first is at it
        assert two.study("lab") is not None
        assert Journal(two.journal_path("lab")).read() == journal.read()
        journal.append({"event": "last"})
        journal.close()
    three = node("three", any_url)
    with three.driving("lab", "1-b") as other:
        assert other is None
        assert Journal(three.journal_path("lab")).read() == journal.read()
        more = Journal(three.journal_path("lab"))
        more.append({"event": "more"})
        more.close()
    far = far_of(three.journal_path("lab"))
    assert far is not None
    assert far.bucket.listed(f"{far.name}.parts") == {}
    whole = far.bucket.read(far.name)
    assert whole is not None
    assert whole.data.count(b"\n") == 5


def test_of_two_who_take_themselves_for_the_writer_one_learns_better(
    node: Nodes, any_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = node("one", any_url)
    with one.driving("lab", "1-a"):
        far = far_of(one.journal_path("lab"))
        assert far is not None
        far.bucket.create(f"{far.name}.parts/{0:015d}", b'{"event": "by another"}\n')
        journal = Journal(one.journal_path("lab"))
        journal.append({"event": "mine"})
        journal.close()
    assert "another run has taken over" in caplog.text
    two = node("two", any_url)
    with two.driving("lab", "1-b"):
        assert [one["event"] for one in Journal(two.journal_path("lab")).read()] == ["by another"]


def test_a_study_whose_runs_node_was_lost_is_taken_over(node: Nodes, any_url: str) -> None:
    store = node("one", any_url)
    folder, pace = store.study_folder("lab"), Pace(stale_s=0.5, look_s=0.1)
    far = far_of(folder / "driver.lock")
    assert far is not None
    lost = json.dumps({"attempt": "1-a", "host": "lost", "process": 1, "beat": 7})
    far.bucket.create(far.name, lost.encode())
    far.bucket.create(f"{far.name.rpartition('/')[0]}/cancel", b"")
    with tenure(folder, "1-b", None, pace) as other:
        assert other is None
        assert far.bucket.listed("studies/lab").keys() == {"driver.lock"}


def test_a_run_elsewhere_that_lives_is_worked_beside(node: Nodes, any_url: str) -> None:
    store = node("one", any_url)
    folder, pace = store.study_folder("lab"), Pace(stale_s=30.0, look_s=0.05)
    far = far_of(folder / "driver.lock")
    assert far is not None
    over = threading.Event()

    def live() -> None:
        beat = 0
        while not over.wait(0.1):
            beat += 1
            text = {"attempt": "1-a", "host": "elsewhere", "process": 1, "beat": beat}
            far.bucket.replace(far.name, json.dumps(text).encode())

    runner = threading.Thread(target=live)
    runner.start()
    try:
        while far.bucket.read(far.name) is None:
            time.sleep(0.05)
        with tenure(folder, "1-b", None, pace) as other:
            assert other == "process 1 on elsewhere"
    finally:
        over.set()
        runner.join()


def test_small_files_of_a_result_come_here_for_mlflow_and_networks_do_not(
    node: Nodes, any_url: str
) -> None:
    store = node("one", any_url)
    attempt, _ = a_record(store)
    (attempt / "scores.csv").write_text("a,b\n")
    record = store.commit(STAGE, attempt, replace(_, files=checksums(attempt)))
    other = node("two", any_url)
    result = Result(STAGE.key, STAGE.kind, record.attempt, {})
    found = sort_files(result, shelf_of(other, "small"), "small")
    assert found is not None
    assert found.whole == ("scores.csv",)
    assert found.tags["rotlab.folder"] == f"{any_url}/count/{STAGE.key}/attempts/{record.attempt}"


def test_a_node_that_reaches_the_bucket_is_found_in_order(node: Nodes, any_url: str) -> None:
    root = node("one", any_url).root
    assert "is not the folder that the driver writes to" in str(look_at_store(root, "mark.tmp"))
    create_json(root / "mark.tmp", {}, ".mark")
    assert look_at_store(root, "mark.tmp") is None


def test_a_copy_of_the_bucket_is_a_folder_store(node: Nodes, any_url: str, tmp_path: Path) -> None:
    store = node("one", any_url)
    record = committed(store)
    store.save_study(SavedStudy("lab", 1, "Why?", "", {}, {"cells": []}))
    with store.driving("lab", "1-a"):
        journal = Journal(store.journal_path("lab"))
        journal.append({"event": "step"})
        journal.close()
    bucket = Bucket(any_url)
    for name in bucket.listed("", deep=True):
        path = tmp_path / "copy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        bucket.download(name, path)
    copy = Store.open(str(tmp_path / "copy"))
    assert copy.record(STAGE.key, STAGE.kind) == record
    assert checksums(copy.result_folder(record)) == record.files
    assert copy.studies() == ["lab"]
    assert Journal(copy.journal_path("lab")).read() == [{"event": "step"}]
    shutil.rmtree(tmp_path / "copy")
