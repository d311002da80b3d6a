"""A bucket's server that does not answer, for a while or for too long: waited for, and told."""

import logging
import threading
import time
from dataclasses import replace

import pytest

from rotlab.store import bucket as buckets
from rotlab.store.answers import BucketError
from rotlab.store.bucket import Bucket
from tests.rotlab.execution.processes import wait_until
from tests.rotlab.store import s3
from tests.rotlab.store.nodes import Nodes


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
