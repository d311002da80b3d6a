"""`rotlab run-stage` and `rotlab status` on a study that lies in the store."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from rotlab.commands import status
from rotlab.commands.run_stage import run_stage
from rotlab.planning.stage import Resources
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from rotlab.tracking.journal import Journal
from rotnet.errors import UserError
from tests.rotlab.execution.lab import KINDS, make_plan, make_stage

GOOD = make_stage("count", name="good")
BAD = make_stage("count", name="bad", fail=True)
TOTAL = make_stage("total", {"x": GOOD, "y": BAD}, name="total")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    plan = make_plan([GOOD, BAD, TOTAL])
    store.save_study(next_revision(None, plan, "", dict.fromkeys(KINDS, Resources())))
    return store


def run(key: str, store: Store) -> int:
    return run_stage(key, store, KINDS, store.root)


def test_a_stage_is_found_by_the_beginning_of_its_key(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(GOOD.key[:8], store) == 0
    assert store.record(GOOD.key, GOOD.kind) is not None
    assert "step 2  loss 0.5" in capsys.readouterr().out
    assert run(GOOD.key, store) == 0
    assert f"count {GOOD.key} is done" in capsys.readouterr().out


def test_a_failing_stage_shows_its_traceback(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(BAD.key, store) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "ValueError: bad cannot count" in shown


def test_stages_to_run_first_are_named_in_order(store: Store) -> None:
    with pytest.raises(UserError, match=f"count {GOOD.key[:12]}, count {BAD.key[:12]}$"):
        run(TOTAL.key, store)


def test_an_unknown_key_names_the_studies_that_were_searched(store: Store) -> None:
    with pytest.raises(UserError, match="begins with 'zzz'; searched studies: lab"):
        run("zzz", store)


def test_a_beginning_of_several_keys_lists_them(store: Store) -> None:
    with pytest.raises(UserError, match=r"3 stages have a key .* give more of it"):
        run("", store)


def test_a_stage_planned_for_another_code_version_is_refused(store: Store) -> None:
    newer = {**KINDS, "count": replace(KINDS["count"], version=2)}
    with pytest.raises(UserError, match=rf"{GOOD.key[:12]} was planned for another version .*run"):
        run_stage(GOOD.key, store, newer, store.root)
    assert store.record(GOOD.key, GOOD.kind) is None


def show_status(study: str, store: Store) -> int:
    return status.run(argparse.Namespace(study=study, store=str(store.root)))


def test_status_counts_what_is_done_and_names_what_failed(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    run(GOOD.key, store)
    journal = Journal(store.journal_path("lab"))
    journal.append({"event": "stage_started", "time": 1.0, "key": BAD.key})
    failed = {"state": "FAILED", "error": "ValueError: no"}
    journal.append({"event": "stage_ended", "time": 2.0, "key": BAD.key, **failed})
    journal.close()
    capsys.readouterr()
    assert show_status("lab", store) == 0
    shown = capsys.readouterr().out
    assert "lab: 1 of 3 stages done" in shown
    assert [row.split() for row in shown.splitlines() if row.startswith(("count", "total"))] == [
        ["count", "1", "1", "0"],
        ["total", "0", "0", "1"],
    ]
    assert f"failed: count {BAD.key[:12]}: ValueError: no" in shown
    assert "last activity: " in shown


def test_status_of_an_unknown_study_lists_those_there(store: Store) -> None:
    with pytest.raises(UserError, match=r"unknown study 'lap'; did you mean 'lab'\? \(lab\)"):
        show_status("lap", store)


def test_status_tells_what_went_on_from_shorter_trainings_and_what_did_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path / "store")
    stages = [make_stage("learn", name="a", epochs=n) for n in (1, 2, 3)]
    plan = make_plan(stages)
    store.save_study(next_revision(None, plan, "", dict.fromkeys(KINDS, Resources())))
    for stage in (stages[0], stages[1]):
        assert run(stage.key, store) == 0
    assert f"went on from learn {stages[0].key[:12]}" in capsys.readouterr().out
    record = store.record(stages[1].key, "learn")
    assert record is not None
    store.state_path(record).unlink()
    assert run(stages[2].key, store) == 0
    assert "did not go on from a shorter training: learn" in capsys.readouterr().out
    assert show_status("lab", store) == 0
    shown = capsys.readouterr().out
    assert "1 stage went on from shorter trainings, in 0 s" in shown
    assert f"learn {stages[2].key[:12]} did not go on as planned: learn" in shown
