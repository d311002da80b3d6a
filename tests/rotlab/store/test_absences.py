"""A bucket's server that does not answer, for a while or for too long: waited for, and told."""

import logging
import threading
import time
from dataclasses import replace

import pytest

from rotlab.store import bucket as buckets
from rotlab.store import objects_gcs, objects_s3
from rotlab.store.answers import BucketError
from rotlab.store.bucket import Bucket
from tests.rotlab.execution.processes import wait_until
from tests.rotlab.store.nodes import Nodes
from tests.rotlab.store.served import Server


def test_a_run_says_when_the_bucket_is_away_and_when_it_is_back(
    any_server: Server,
    node: Nodes,
    any_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("rotlab.store.courier.DRIVER_LOOKS_S", 0.05)
    monkeypatch.setattr("rotlab.store.courier._PATIENCE_S", 0.2)
    monkeypatch.setattr(buckets, "_ANSWER_S", 0.5)
    with node("one", any_url).driving("lab", "1-a"):
        with any_server.away():
            wait_until(lambda: "waits for it where it needs it" in caplog.text, 30)
        wait_until(lambda: "can be used again" in caplog.text, 30)
    assert caplog.text.count("waits for it") == 1


def test_a_server_that_does_not_answer_for_a_while_costs_that_while(
    any_server: Server,
    any_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(buckets, "_ANSWER_S", 0.5)
    bucket = Bucket(any_url)
    bucket.create("a", b"1")
    with caplog.at_level(logging.WARNING):
        with any_server.away():
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
    scheme: str, any_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, endpoint = {
        "s3": (objects_s3, "AWS_ENDPOINT_URL"),
        "gs": (objects_gcs, "STORAGE_EMULATOR_HOST"),
    }[scheme]
    monkeypatch.setenv(endpoint, "http://127.0.0.1:9")
    module._file_system.cache_clear()
    try:
        with pytest.raises(BucketError, match=f"no answer for .*{endpoint}") as told:
            replace(Bucket(any_url), patience_s=0.2).read("a")
        assert "\n" not in str(told.value)
    finally:
        module._file_system.cache_clear()
