"""A study of three results, written into a file and brought into a store."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Resources, Stage
from rotlab.store.bundle import Manifest, Weights
from rotlab.store.gate import counting
from rotlab.store.pack import Member, members, pack
from rotlab.store.placing import Placed, place
from rotlab.store.record import Record
from rotlab.store.store import Store, checksums
from rotlab.store.study import next_revision
from rotlab.store.unpack import Bundle, unpack
from rotlab.tracking.journal import Journal
from tests.rotlab.execution.lab import KINDS, make_plan, make_record, make_stage
from tests.rotlab.store.put import names

FIRST = make_stage("count", name="first")
TUNED = make_stage("count", {"init": FIRST}, name="tuned")
SCORES = make_stage("total", {"x": TUNED}, name="scores")
PLAN = make_plan([FIRST, TUNED, SCORES])
Names = set[str]


def add(store: Store, stage: Stage, *names: str, attempt: str | None = None) -> Record:
    folder = store.new_attempt(stage, attempt)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"{name} of {stage.key}")
    record = replace(
        make_record(stage), attempt=folder.name, files=checksums(folder), inputs=dict(stage.inputs)
    )
    if (folder / "checkpoint.pt").exists():
        digest = hashlib.sha256((folder / "checkpoint.pt").read_bytes()).hexdigest()
        record = replace(record, state={"sha256": digest, "inputs": {}})
    return store.commit(stage, folder, record)


def ask(store: Store, plan: Plan) -> None:
    resources = dict.fromkeys(KINDS, Resources())
    store.save_study(next_revision(store.study(plan.name), plan, "name: lab\n", resources))


def make_store(place: str) -> Store:
    """Return a store with a study of two networks, one from the other, and scores."""
    store = Store.open(place)
    ask(store, PLAN)
    add(store, FIRST, "network.pt", "checkpoint.pt", "history.json")
    add(store, TUNED, "network.pt", "deep/history.json")
    add(store, SCORES, "scores.npz")
    tell(store, {"event": "study_started", "time": 1.0})
    return store


def tell(store: Store, event: Mapping[str, Any]) -> None:
    """Journal an event of the study."""
    with store.driving("lab", "run"):
        journal = Journal(store.journal_path("lab"))
        journal.append(event)
        journal.close()


def export(
    store: Store, path: Path, weights: Weights = "results", spoil: Callable[..., object] = list
) -> Path:
    """Write the study into a file; `spoil` may change its members."""
    content: list[Member] = list(members(store, PLAN, store.records(PLAN.stages.values()), weights))
    manifest = Manifest("lab", weights, "now", {}, {one.name: one.sealed for one in content})
    spoil(content)
    pack(path, manifest, content)
    return path


def read(path: Path) -> Bundle:
    folder = path.with_name(f"read-{len(list(path.parent.iterdir()))}")
    folder.mkdir()
    return unpack(path, folder)


def bring(path: Path, store: Store) -> Placed:
    store.root.mkdir(parents=True, exist_ok=True)
    with counting(store.root) as check:
        return place(read(path), store, check)


def files_of(store: Store, stage: Stage) -> Names:
    record = store.record(stage.key, stage.kind)
    assert record is not None
    return names(store.result_place(record))
