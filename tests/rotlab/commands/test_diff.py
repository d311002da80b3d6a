"""`rotlab diff`: what a run of a file would do, and why."""

import json
from pathlib import Path

import pytest

from rotlab.cli import main
from rotlab.execution.stage.provenance import source
from rotlab.planning.plan.decisions import Decisions
from rotlab.planning.plan.planned import plan_file
from rotlab.planning.stage import Stage
from rotlab.store.record import record_to_json
from rotlab.store.store import Store
from rotlab.store.study import next_revision
from tests.rotlab.store.put import put
from tests.rotlab.store.test_difference import recorded

SEARCHING = """
name: trial
base: tiny
data: {target: weizmann}
finetune: {val_fraction: 0.25, final: train+val}
axes: {init: [scratch]}
search: {settings: {finetune.lr: {low: 0.001, high: 1, log: true}}, proposals: 12}
"""
PAPER = Path(__file__).parents[3] / "search_spaces" / "paper.yaml"


def test_in_an_empty_store_all_would_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(PAPER), "--store", str(tmp_path), "--data", str(tmp_path)]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading == "paper: 756 of 756 stages would run"
    assert lines[0].split(maxsplit=2) == ["36", "pretrain:", "the store has no result of pretrain"]
    assert len(lines) == 4


def test_a_file_that_is_not_in_order_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'none.yaml'}: no such file\n"


def put_record(store: Store, stage: Stage, **more: object) -> None:
    """Write the record of a stage that was made so."""
    path = store.home(stage.key, stage.kind) / "record.json"
    put(path, json.dumps(record_to_json(recorded(stage, **more))))


def test_results_of_other_source_are_a_note_and_do_not_run(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = plan_file(PAPER, tmp_path).plan.stages.values()
    pretrainings = [stage for stage in stages if stage.kind == "pretrain"]
    now = source("rotlab.execution.stage.stages:pretrain")
    for number, stage in enumerate(pretrainings):
        made = "f" * 64 if number < 3 else now
        put_record(Store.open(place), stage, source=made, commit=f"{40 * str(number // 2)}-dirty")
    given = ["diff", str(PAPER), "--data", str(tmp_path), "--store", place]
    assert main(given) == 0
    heading, *_, note, of_kind, way_out = capsys.readouterr().out.splitlines()
    assert heading == "paper: 720 of 756 stages would run"
    assert note.startswith("note: 3 results that it uses were made by other source of the same")
    assert of_kind.split(maxsplit=2)[:2] == ["3", "pretrain:"]
    assert of_kind.endswith("2 by 000000000000-dirty, 1 by 111111111111-dirty")
    assert "rotlab invalidate" in way_out


def test_cells_that_wait_for_a_search_to_go_on_are_not_told_as_given_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, store = tmp_path / "space.yaml", Store(tmp_path / "store")
    path.write_text(SEARCHING)
    planned = plan_file(path, tmp_path)
    store.save_study(next_revision(None, planned.imagined(Decisions()).plan, SEARCHING, {}))
    assert main(["diff", str(path), "--store", str(store.root), "--data", str(tmp_path)]) == 0
    heading, dropped = capsys.readouterr().out.splitlines()
    assert heading == "trial: 0 of 0 stages would run, and what its searches then ask for"
    assert "stages of its last run are asked for no more, or not until searches end" in dropped
