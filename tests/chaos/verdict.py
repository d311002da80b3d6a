"""What must be true of a study after the storm, beside one that nothing happened to."""

import hashlib
import os
from collections import Counter
from pathlib import Path

from mlflow.tracking import MlflowClient

from rotlab.planning.plan.plan import Plan
from rotlab.store.record import Record
from rotlab.store.store import Store
from rotlab.tracking.journal import Journal
from rotlab.tracking.uri import default_tracking_uri
from tests.chaos.points import FOLDER


def check_results(plan: Plan, store: Store, undisturbed: Store) -> None:
    """Every stage has one record, and its numbers and files are those of the undisturbed one."""
    found = store.records(plan.stages.values())
    expected = undisturbed.records(plan.stages.values())
    assert found.keys() == expected.keys() == plan.stages.keys()
    for key, record in found.items():
        what = f"{record.kind} {key}"
        assert (what, record.metrics) == (what, expected[key].metrics)
        assert (what, record.files) == (what, expected[key].files)
        assert (what, record.files) == (what, _sealed(store, record))
    lying = Counter(path.parent.name for path in store.root.glob("*/*/record.json"))
    assert lying == Counter(plan.stages.keys())


def check_journal(plan: Plan, store: Store) -> int:
    """No stage was ended twice, and what ended it made the record.

    Returns:
        How many attempts were begun.
    """
    events = [event for path in store.journals(plan.name) for event in Journal(path).read()]
    made = Counter(
        (event["key"], event["attempt"])
        for event in events
        if event["event"] == "stage_ended" and event["state"] == "FINISHED"
    )
    records = store.records(plan.stages.values())
    assert made.keys() <= {(key, record.attempt) for key, record in records.items()}
    assert set(made.values()) <= {1}, made
    return sum(event["event"] == "stage_started" for event in events)


def check_mlflow(plan: Plan, store: Store) -> None:
    """MLflow has one run for the study, each stage and each cell, with the record's numbers."""
    client = MlflowClient(default_tracking_uri(store.root))
    experiment = client.get_experiment_by_name(plan.name)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], max_results=5000)
    by_key = Counter(run.data.tags["rotlab.key"] for run in runs)
    assert set(by_key.values()) == {1}, by_key
    assert len(by_key) == 1 + len(plan.stages) + len(plan.cells)
    assert {run.info.status for run in runs} == {"FINISHED"}
    records = store.records(plan.stages.values())
    for run in runs:
        kind, _, key = run.data.tags["rotlab.key"].partition(":")
        if kind == "stage":
            assert run.data.metrics.items() >= records[key].metrics.items()


def left(folder: Path) -> dict[int, str]:
    """Return the processes that were started with this folder for their orders, whoever's they are.

    Args:
        folder: where orders to halt are given.
    """
    mark = f"{FOLDER}={folder}".encode()
    found = {}
    for path in Path("/proc").iterdir():
        if not path.name.isdecimal() or int(path.name) == os.getpid():
            continue
        try:
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found[int(path.name)] = (path / "cmdline").read_bytes().decode().replace("\0", " ")
        except OSError:
            continue
    return found


def _sealed(store: Store, record: Record) -> dict[str, str]:
    folder = store.result_folder(record)
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in record.files}
