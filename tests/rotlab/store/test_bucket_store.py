"""A store keeps its contract whether it lies in a folder or in a bucket, from any node."""

import contextlib
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rotlab.cluster.survey import look_at_store
from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.plan.decisions import Winner
from rotlab.planning.stage import Resources
from rotlab.store import bucket as buckets
from rotlab.store.answers import BucketError, judged
from rotlab.store.bucket import Bucket, ChangedError
from rotlab.store.carrying import send_files
from rotlab.store.decision_book import DecisionBook
from rotlab.store.exclusive import check_exclusive
from rotlab.store.files import StoreError, create_json
from rotlab.store.lease import HeldElsewhereError, Lease
from rotlab.store.mirror import mirrored
from rotlab.store.record import Record
from rotlab.store.replica import far_of, replica_of, told
from rotlab.store.shelf import shelf_of, tracking_uri_of
from rotlab.store.store import Store, checksums
from rotlab.store.study import SavedStudy
from rotlab.store.tenure import Pace, tenure
from rotlab.tracking.artifacts import Result, sort_files
from rotlab.tracking.journal import Journal
from rotlab.tracking.uri import TrackingError
from rotnet.errors import UserError
from rotnet.learning.watch import Stopped, Unwatched
from tests.rotlab.execution.lab import KINDS, make_stage
from tests.rotlab.execution.processes import wait_until
from tests.rotlab.store import s3

STAGE = make_stage("count", name="a")
URL = f"s3://{s3.BUCKET}"


@pytest.fixture(scope="module")
def server() -> Iterator[s3.Server]:
    with s3.serving() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in {**s3.KEYS, "AWS_ENDPOINT_URL": server.endpoint}.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Nodes":
    return Nodes(tmp_path, monkeypatch)


class Nodes:
    """Machines that have nothing in common but the bucket."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch = folder, patch

    def __call__(self, name: str, store: str) -> Store:
        """Return a store as one of them has it."""
        self._patch.setenv("ROTNET_CACHE", str(self._folder / name))
        return Store.open(store)


@pytest.fixture
def url(server: s3.Server, tmp_path: Path) -> str:  # noqa: ARG001  (it listens)
    return f"{URL}/{tmp_path.name}"


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "store")
    request.getfixturevalue("server")
    return f"{URL}/{tmp_path.name}"


def a_record(store: Store, content: bytes = b"weights", **changes: Any) -> tuple[Path, Record]:
    """Return a finished attempt, and the record that is to be committed."""
    attempt = store.new_attempt(STAGE)
    (attempt / "network.pt").write_bytes(content)
    record = Record(
        key=STAGE.key,
        kind=STAGE.kind,
        attempt=attempt.name,
        metrics={"accuracy": 0.5},
        files=checksums(attempt),
        seconds=1.5,
        config={"name": "a"},
        inputs={},
        data=(),
        versions={"python": "3"},
        host="here",
        device="cpu",
        commit=None,
        started="2025-01-01T00:00:00+00:00",
        ended="2025-01-01T00:00:01+00:00",
    )
    return attempt, replace(record, **changes)


def committed(store: Store, content: bytes = b"weights", **changes: Any) -> Record:
    attempt, record = a_record(store, content, **changes)
    return store.commit(STAGE, attempt, record)


# What both kinds of store keep


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


# From one node to another


def test_another_node_has_the_result_with_every_byte(node: Nodes, url: str) -> None:
    record = committed(node("one", url), state={"sha256": "", "inputs": {}})
    other = node("two", url)
    assert other.record(STAGE.key, STAGE.kind) == record
    folder = other.result_folder(record)
    assert "two" in folder.parts
    assert checksums(folder) == record.files


def test_a_result_without_a_file_is_one_on_another_node_too(node: Nodes, url: str) -> None:
    store = node("one", url)
    attempt, record = a_record(store)
    (attempt / "network.pt").unlink()
    record = store.commit(STAGE, attempt, replace(record, files={}))
    assert list(node("two", url).result_folder(record).iterdir()) == []


def test_a_file_that_is_not_what_the_record_says_is_not_used(node: Nodes, url: str) -> None:
    store = node("one", url)
    record = committed(store)
    far = far_of(store.result_place(record))
    assert far is not None
    far.bucket.replace(f"{far.name}/network.pt", b"something else")
    with pytest.raises(StoreError, match=r"network\.pt: damaged"):
        node("two", url).result_folder(record)
    far.bucket.remove(f"{far.name}/network.pt")
    with pytest.raises(StoreError, match=f"{url}.*gone, though count"):
        node("two", url).result_folder(record)


def test_a_stage_goes_on_on_another_node_from_its_last_whole_state(node: Nodes, url: str) -> None:
    stage = make_stage("learn", name="l", epochs=5)

    class Stopping(Unwatched):
        """Stops after three epochs."""

        asked = 0

        def should_stop(self) -> Any:
            self.asked += 1
            return "now" if self.asked > 3 else "no"

    def work() -> Work:
        root = replica_of(url)
        return Work({stage.key: stage}, KINDS, {}, root, {"learn": 1}, stale_s=600.0)

    one = node("one", url)
    with pytest.raises(Stopped):
        perform(stage.key, work(), Stopping())
    steps: list[int] = []

    class Counting(Unwatched):
        """Notes its steps."""

        def report(self, step: int, metrics: Any) -> None:  # noqa: ARG002  (called so)
            steps.append(step)

    node("two", url)
    record = perform(stage.key, work(), Counting())
    assert steps == [4, 5]
    assert record.metrics == {"accuracy": 5.0}
    far = far_of(one.home(stage.key, stage.kind))
    assert far is not None
    left = far.bucket.listed(far.name, deep=True)
    assert not [name for name in left if name.startswith(("state", "lease"))]


def test_half_an_upload_of_a_state_is_not_seen(
    node: Nodes, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = node("one", url)
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

    monkeypatch.setattr(Bucket, "upload", cut)
    stop_at("2")
    assert len(sent) == 1
    monkeypatch.undo()
    begun = node("two", url).new_attempt(STAGE)
    assert (begun / "network.pt").read_text() == "network.pt 1"
    assert (begun / "optimizer.pt").read_text() == "optimizer.pt 1"


def test_what_was_withdrawn_elsewhere_is_not_gone_on_from_here(node: Nodes, url: str) -> None:
    here = node("one", url)
    (here.new_attempt(STAGE) / "checkpoint.pt").write_bytes(b"by a broken device")
    there = node("two", url)
    record = committed(there)
    there.set_aside(record, "the device was broken")
    assert list(node("one", url).new_attempt(STAGE).iterdir()) == []


def test_a_journal_is_known_to_the_next_node_though_the_first_was_lost(
    node: Nodes, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotlab.store.courier.DRIVER_LOOKS_S", 0.05)
    one = node("one", url)
    one.save_study(SavedStudy("lab", 1, "Why?", "", {}, {"cells": []}))
    with one.driving("lab", "1-a"):
        journal = Journal(one.journal_path("lab"))
        for number in range(3):
            journal.append({"event": "step", "number": number})
            time.sleep(0.2)
        two = node("two", url)  # while the first is at it
        assert two.study("lab") is not None
        assert Journal(two.journal_path("lab")).read() == journal.read()
        journal.append({"event": "last"})
        journal.close()
    three = node("three", url)
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
    node: Nodes, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = node("one", url)
    with one.driving("lab", "1-a"):
        far = far_of(one.journal_path("lab"))
        assert far is not None
        far.bucket.create(f"{far.name}.parts/{0:015d}", b'{"event": "by another"}\n')
        journal = Journal(one.journal_path("lab"))
        journal.append({"event": "mine"})
        journal.close()
    assert "another run has taken over" in caplog.text
    two = node("two", url)
    with two.driving("lab", "1-b"):
        assert [one["event"] for one in Journal(two.journal_path("lab")).read()] == ["by another"]


def test_a_run_says_when_the_bucket_is_away_and_when_it_is_back(
    server: s3.Server,
    node: Nodes,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("rotlab.store.courier.DRIVER_LOOKS_S", 0.05)
    monkeypatch.setattr("rotlab.store.courier._PATIENCE_S", 0.2)
    monkeypatch.setattr(buckets, "_ANSWER_S", 0.5)
    with node("one", url).driving("lab", "1-a"):
        with server.away():
            wait_until(lambda: "waits for it where it needs it" in caplog.text, 30)
        wait_until(lambda: "can be used again" in caplog.text, 30)
    assert caplog.text.count("waits for it") == 1


def test_a_study_whose_runs_node_was_lost_is_taken_over(node: Nodes, url: str) -> None:
    store = node("one", url)
    folder, pace = store.study_folder("lab"), Pace(stale_s=0.5, look_s=0.1)
    far = far_of(folder / "driver.lock")
    assert far is not None
    lost = json.dumps({"attempt": "1-a", "host": "lost", "process": 1, "beat": 7})
    far.bucket.create(far.name, lost.encode())
    far.bucket.create(f"{far.name.rpartition('/')[0]}/cancel", b"")
    with tenure(folder, "1-b", None, pace) as other:
        assert other is None
        assert far.bucket.listed("studies/lab").keys() == {"driver.lock"}


def test_a_run_elsewhere_that_lives_is_worked_beside(node: Nodes, url: str) -> None:
    store = node("one", url)
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
    node: Nodes, url: str
) -> None:
    store = node("one", url)
    attempt, _ = a_record(store)
    (attempt / "scores.csv").write_text("a,b\n")
    record = store.commit(STAGE, attempt, replace(_, files=checksums(attempt)))
    other = node("two", url)
    result = Result(STAGE.key, STAGE.kind, record.attempt, {})
    found = sort_files(result, shelf_of(other, "small"), "small")
    assert found is not None
    assert found.whole == ("scores.csv",)
    assert found.tags["rotlab.folder"] == f"{url}/count/{STAGE.key}/attempts/{record.attempt}"


def test_a_node_that_reaches_the_bucket_is_found_in_order(node: Nodes, url: str) -> None:
    root = node("one", url).root
    assert "is not the folder that the driver writes to" in str(look_at_store(root, "mark.tmp"))
    create_json(root / "mark.tmp", {}, ".mark")
    assert look_at_store(root, "mark.tmp") is None


# Names, and what cannot be


def test_a_path_tells_the_url_that_it_stands_for_and_a_users_folder_none(tmp_path: Path) -> None:
    path = replica_of("s3://lab/deep/store") / "count" / "key"
    far = far_of(path)
    assert far is not None
    assert (far.bucket.url, far.name) == ("s3://lab/deep/store", "count/key")
    assert told(path) == "s3://lab/deep/store/count/key"
    for own in (tmp_path, tmp_path / "stores" / "s3", tmp_path / "s3%3A%2F%2Flab"):
        assert far_of(own) is None
        assert told(own) == str(own)


def test_an_object_is_replaced_only_by_who_saw_its_last_content(url: str) -> None:
    bucket = Bucket(url)
    first = bucket.create("a", b"1")
    second = bucket.replace("a", b"2", first)
    with pytest.raises(ChangedError):
        bucket.replace("a", b"3", first)
    assert bucket.replace("a", b"2", first) == second  # the answer was lost; it had been done
    assert bucket.create("a", b"2") == second
    with pytest.raises(FileExistsError):
        bucket.create("a", b"4")
    bucket.remove("a", "b")
    with pytest.raises(ChangedError):
        bucket.replace("a", b"3", second)


def test_a_listing_of_more_than_one_page_is_whole(url: str) -> None:
    bucket = Bucket(url)
    names = {f"{number:04d}" for number in range(2 * s3.PAGE + 1)}
    for name in names:
        bucket.replace(f"many/{name}", b"")
    assert bucket.listed("many").keys() == names
    bucket.remove_folder("many")
    assert bucket.listed("", deep=True) == {}


def test_a_server_that_does_not_answer_for_a_while_costs_that_while(
    server: s3.Server, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(buckets, "_ANSWER_S", 0.5)
    bucket = Bucket(url)
    bucket.create("a", b"1")
    with caplog.at_level(logging.WARNING):
        with server.away():
            found: list[object] = []
            asking = threading.Thread(target=lambda: found.append(bucket.read("a")))
            asking.start()
            time.sleep(3.0)
            assert found == []
        asking.join(30)
    assert len(found) == 1
    assert caplog.text.count("does not answer") == 1
    assert caplog.text.count("answers again") == 1


def test_a_server_that_is_away_for_too_long_is_told_in_one_line(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    buckets._file_system.cache_clear()
    try:
        with pytest.raises(BucketError, match=r"no answer for .*AWS_ENDPOINT_URL"):
            replace(Bucket(url), patience_s=0.2).read("a")
    finally:
        buckets._file_system.cache_clear()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("s3://nowhere/store", "no such bucket"),
        ("s3:///store", "names no bucket"),
        ("s3://lab/../other", "names no bucket"),
        ("gs://lab/store", "scheme 'gs' is not supported"),
        ("abfs://lab/store", "scheme 'abfs' is not supported"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_place_that_cannot_be_used_is_refused_in_one_line(given: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        Store.open(given)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("server")
def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr("fsspec.filesystem", absent)
    buckets._file_system.cache_clear()
    with pytest.raises(BucketError, match=r"pip install '\.\[s3\]'"):
        Store.open(f"{URL}/x")


class RefusalError(Exception):
    """As s3fs wraps what a server says."""

    def __init__(self, code: str, status: int) -> None:
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        super().__init__(code)


@pytest.mark.parametrize(
    ("error", "sort", "said"),
    [
        (RefusalError("AccessDenied", 403), "refused", "s3:PutObject"),
        (RefusalError("SignatureDoesNotMatch", 403), "refused", "does not accept the credentials"),
        (type("NoCredentialsError", (Exception,), {})(), "refused", "no credentials were found"),
        (RefusalError("NoSuchBucket", 404), "refused", "no such bucket"),
        (RefusalError("SlowDown", 503), "away", "SlowDown"),
        (RefusalError("ConditionalRequestConflict", 409), "busy", "Conflict"),
        (RefusalError("PreconditionFailed", 412), "changed", ""),
        (ConnectionResetError("reset"), "away", "reset"),
        (KeyError("a bug"), "other", ""),
        (PermissionError("of a folder here"), "other", ""),
    ],
)
def test_each_refusal_has_its_way_out(error: Exception, sort: str, said: str) -> None:
    found, words = judged(error)
    assert found == sort
    assert said in words


def test_mlflows_database_cannot_lie_in_a_bucket(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    store = Store.open(url)
    with pytest.raises(TrackingError, match="give --tracking-uri"):
        tracking_uri_of(store, None)
    assert tracking_uri_of(store, "http://127.0.0.1:5000") == "http://127.0.0.1:5000"
    with pytest.raises(StoreError, match=f"aws s3 sync {url} FOLDER"):
        store.check_is_folder("gc")


def test_a_copy_of_the_bucket_is_a_folder_store(node: Nodes, url: str, tmp_path: Path) -> None:
    store = node("one", url)
    record = committed(store)
    store.save_study(SavedStudy("lab", 1, "Why?", "", {}, {"cells": []}))
    with store.driving("lab", "1-a"):
        journal = Journal(store.journal_path("lab"))
        journal.append({"event": "step"})
        journal.close()
    bucket = Bucket(url)
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
