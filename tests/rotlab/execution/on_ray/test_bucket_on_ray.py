"""A whole study whose store is a bucket: on a node that is lost, on the next, its server away."""

import os
import re
import time
from pathlib import Path

import pytest

from rotlab.execution.stage.perform import Work, perform
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Stage
from rotlab.store.bucket import Bucket
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotlab.tracking.past import look_back
from rotnet.learning.watch import Unwatched
from tests.rotlab.execution import lab
from tests.rotlab.execution.drive import SCENARIOS
from tests.rotlab.execution.processes import (
    descendants,
    finish,
    kill,
    start_driver,
    wait_until,
)
from tests.rotlab.store.served import BUCKET, Server

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
AWAY_S = 4.0
SCENARIO = "trainings"


def test_a_study_in_a_bucket_ends_as_in_a_folder_whatever_is_lost_on_the_way(
    server: Server, tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"s3://{BUCKET}/study"
    plan, bucket = SCENARIOS[SCENARIO](), Bucket(url)
    expected = in_a_folder(plan, tmp_path / "folder", monkeypatch)

    def env(node: str) -> dict[str, str]:
        return {**os.environ, "ROTNET_CACHE": str(tmp_path / node), "MLFLOW_TRACKING_URI": uri}

    def names(ending: str) -> list[str]:
        return [name for name in bucket.listed("", deep=True) if name.endswith(ending)]

    first = start_driver(SCENARIO, url, env=env("one"))
    wait_until(lambda: len(names("state.json")) == 2, 180)
    kill(first.pid, *descendants(first.pid))
    first.wait()

    second = start_driver(SCENARIO, url, env=env("two"))
    wait_until(lambda: len(names("record.json")) >= 1, 180)
    with server.away():
        time.sleep(AWAY_S)
    ended = finish(second, 240)
    assert ended.status == 0, ended.err
    assert f"store:   {url}" in ended.out

    monkeypatch.setenv("ROTNET_CACHE", str(tmp_path / "three"))
    store = Store.open(url)
    found = store.records(plan.stages.values())
    assert {key: told(one) for key, one in found.items()} == expected
    for record in found.values():
        store.result_folder(record)  # every byte is held against its SHA-256
    study = store.study(SCENARIO)
    assert study is not None
    past = look_back(Journal(store.journal_path(SCENARIO)).read())
    assert past.is_ended
    assert not past.failures
    assert any(first_step(store, stage) > 1 for stage in plan.stages.values())
    left = names("")
    assert not [name for name in left if "/state/" in name or "lease" in name or ".lock" in name]
    assert not [name for name in left if ".parts/" in name]


@pytest.mark.usefixtures("google")
def test_a_study_in_google_cloud_storage_is_known_to_a_node_that_had_no_part_in_it(
    tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, plan = f"gs://{BUCKET}/study", SCENARIOS["small"]()
    env = {**os.environ, "ROTNET_CACHE": str(tmp_path / "one"), "MLFLOW_TRACKING_URI": uri}
    ended = finish(start_driver("small", url, env=env), 240)
    assert ended.status == 0, ended.err
    monkeypatch.setenv("ROTNET_CACHE", str(tmp_path / "two"))
    store = Store.open(url)
    found = store.records(plan.stages.values())
    assert found.keys() == plan.stages.keys()
    assert 5.0 in [record.metrics.get("accuracy") for record in found.values()]  # the total
    for record in found.values():
        store.result_folder(record)  # every byte is held against its SHA-256
    left = Bucket(url).listed("", deep=True)
    assert not [name for name in left if "lease" in name or ".lock" in name or ".parts/" in name]


def in_a_folder(
    plan: Plan, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, tuple[object, ...]]:
    """Return what the stages leave in a folder store, done one after the other, at once."""
    with monkeypatch.context() as hurried:
        hurried.setattr(time, "sleep", lambda _: None)
        work = Work(plan.stages, lab.KINDS, {}, folder, dict.fromkeys(lab.KINDS, 1))
        return {key: told(perform(key, work, Unwatched())) for key in plan.stages}


def told(record: Record) -> tuple[object, ...]:
    return record.metrics, record.files, record.config, record.inputs


def first_step(store: Store, stage: Stage) -> int:
    """Return the first step of the last attempt at a stage, by its log; 0: it told none."""
    store.bring_logs(stage)
    steps = re.findall(r": step (\d+) ", store.logs(stage)[-1].read_text())
    return int(steps[0]) if steps else 0
