import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from rotlab.planning.plan.plan import Plan
from rotlab.planning.plan.serial import grown
from rotlab.planning.stage import Cell, Stage
from rotlab.tracking.ledger import Ledger
from rotlab.tracking.roster import LOOKS_TAG, cell_key, read_roster
from rotlab.tracking.run_write import RunWrite
from rotnet.config import FusionConfig, PretrainConfig
from tests.rotlab.execution.search.bowls import BowlConfig, make_searching_job
from tests.rotlab.execution.search.throws import ThrowConfig, looking, value


def _started(key: str, time: float = 1.0) -> dict[str, Any]:
    return {"event": "stage_started", "time": time, "key": key, "attempt": "a"}


def _ended(
    key: str, time: float = 2.0, state: str = "FINISHED", **metrics: float
) -> dict[str, Any]:
    return {"event": "stage_ended", "time": time, "key": key, "state": state, "metrics": metrics}


def _by_key(writes: list[RunWrite]) -> dict[str, RunWrite]:
    assert len({write.key for write in writes}) == len(writes), "a run is written more than once"
    return {write.key: write for write in writes}


def _values(write: RunWrite) -> dict[str, float]:
    return {point.name: point.value for point in write.points}


def _cells(writes: list[RunWrite]) -> list[RunWrite]:
    return [write for write in writes if write.key.startswith("cell:")]


def test_a_stage_keeps_the_times_of_its_events(plan: Plan) -> None:
    key = "pretrain-rotation-rgb-0"
    [write] = Ledger(plan).take([_started(key, 1.5), _ended(key, 3.25, loss=0.5)])
    assert (write.start_ms, write.end_ms, write.status) == (1500, 3250, "FINISHED")
    assert [(point.time_ms, point.value) for point in write.points] == [(3250, 0.5)]


def test_the_last_metrics_of_a_stage_stand_at_its_last_step(plan: Plan) -> None:
    key = "pretrain-rotation-rgb-0"
    report = {"event": "stage_metrics", "time": 1.5, "key": key, "step": 40, "metrics": {"loss": 1}}
    [write] = Ledger(plan).take([_started(key), report, _ended(key, loss=0.5)])
    assert [(point.step, point.value) for point in write.points] == [(40, 1.0), (40, 0.5)]


def test_only_settings_that_can_change_a_result_are_params(plan: Plan) -> None:
    [write] = Ledger(plan).take([_started("pretrain-rotation-rgb-0")])
    assert write.params["pretrain.lr"] == "0.1"
    assert write.params["modality"] == "rgb"
    assert not [name for name in write.params if name.startswith("runtime")]


def test_a_cell_tells_what_was_set_for_its_arm_beside_its_choices(plan: Plan) -> None:
    cell = replace(plan.cells[0], overrides={"finetune.epochs": 99})
    ledger = Ledger(replace(plan, cells=(cell, *plan.cells[1:])))
    [write] = _cells(ledger.take([_ended("evaluate-scratch-rgb-0", accuracy=0.4)]))
    assert write.tags["rotlab.overrides"] == '{"finetune.epochs":99}'
    assert "finetune.epochs" not in write.params


def test_a_cell_appears_when_its_result_ends(plan: Plan) -> None:
    ledger = Ledger(plan)
    assert not _cells(ledger.take([_ended("finetune-scratch-rgb-0", accuracy=0.3)]))
    [cell] = _cells(ledger.take([_ended("evaluate-scratch-rgb-0", accuracy=0.4)]))
    assert _values(cell) == {"accuracy": 0.4}
    assert cell.params == {
        "modality": "rgb",
        "init": "scratch",
        "target": "demo",
        "measure": "finetune",
        "seed": "0",
        "split": "1",
    }


def test_a_cell_shows_how_well_its_pretext_was_solved(plan: Plan) -> None:
    ledger = Ledger(plan)
    ledger.take([_ended("pretrain-rotation-rgb-0", val_accuracy=0.9)])
    ledger.take([_ended("pretrain-rotation-dif-0", val_accuracy=0.8)])
    [alone] = _cells(ledger.take([_ended("evaluate-rotation-rgb-0", accuracy=0.5)]))
    [fused] = _cells(ledger.take([_ended("fuse-rotation-0", accuracy=0.6)]))
    assert _values(alone) == {"accuracy": 0.5, "pretext.val_accuracy": 0.9}
    assert _values(fused) == {
        "accuracy": 0.6,
        "pretext.rgb.val_accuracy": 0.9,
        "pretext.dif.val_accuracy": 0.8,
    }


def test_two_pretrainings_of_one_modality_show_their_mean() -> None:
    pre = [Stage(f"pre-{seed}", "pretrain", PretrainConfig(seed=seed)) for seed in (0, 1)]
    keys = [stage.key for stage in pre]
    fuse = Stage("fuse", "fuse", FusionConfig(), dict(zip(("rgb", "rgb-2"), keys, strict=True)))
    cell = Cell({"modality": "rgb+rgb"}, "demo", {"seed": 0}, "finetune", "fuse", (*keys, "fuse"))
    ledger = Ledger(Plan("two", "", ("modality",), (cell,), {s.key: s for s in (*pre, fuse)}))
    ledger.take([_ended("pre-0", val_accuracy=0.9), _ended("pre-1", val_accuracy=0.6)])
    [write] = _cells(ledger.take([_ended("fuse", accuracy=0.5)]))
    assert _values(write) == {"accuracy": 0.5, "pretext.val_accuracy": 0.75}


def test_a_result_told_before_its_pretraining_still_gets_the_pretext(plan: Plan) -> None:
    ledger = Ledger(plan)
    ledger.take([_ended("evaluate-rotation-rgb-0", state="REUSED", accuracy=0.5)])
    [cell] = _cells(
        ledger.take([_ended("pretrain-rotation-rgb-0", state="REUSED", val_accuracy=0.9)])
    )
    assert _values(cell) == {"accuracy": 0.5, "pretext.val_accuracy": 0.9}


def test_a_cell_tells_what_each_of_its_stages_took_as_that_becomes_known(plan: Plan) -> None:
    ledger = Ledger(plan)

    def told(key: str, **event: Any) -> Any:
        [cell] = _cells(ledger.take([_ended(key) | event]))
        assert json.loads(cell.tags["rotlab.parents"])[-1] == "evaluate-rotation-rgb-0"
        return json.loads(cell.tags["rotlab.costs"])

    assert told("evaluate-rotation-rgb-0") == {}
    assert told("pretrain-rotation-rgb-0", seconds=8.0) == {"seconds": [8.0, None, None]}
    begun = _started("finetune-rotation-rgb-0", 3.0) | {"cpus": 1, "gpus": 0.5}
    assert not _cells(ledger.take([begun]))
    assert told("finetune-rotation-rgb-0", time=7203.0, attempt="a", state="FAILED") == {
        "seconds": [8.0, None, None],
        "gpu_hours": [None, 1.0, None],
    }
    assert told("evaluate-rotation-rgb-0", state="REUSED", seconds=2.0, metrics={"a": 1.0}) == {
        "seconds": [8.0, None, 2.0],
        "gpu_hours": [None, 1.0, None],
    }


def test_a_reused_stage_is_finished_and_says_that_it_is_reused(plan: Plan) -> None:
    writes = _by_key(
        Ledger(plan).take([_ended("evaluate-scratch-rgb-0", state="REUSED", accuracy=0.4)])
    )
    stage = writes["stage:evaluate-scratch-rgb-0"]
    assert (stage.status, stage.tags["reused"], _values(stage)) == (
        "FINISHED",
        "true",
        {"accuracy": 0.4},
    )


def test_a_stage_that_this_study_ran_is_not_called_reused_by_a_later_start(plan: Plan) -> None:
    ledger = Ledger(plan)
    ledger.take([_ended("evaluate-scratch-rgb-0", accuracy=0.4)])
    assert ledger.take([_ended("evaluate-scratch-rgb-0", 9.0, "REUSED", accuracy=0.4)]) == []


def test_failures_and_their_dependents_end_as_what_they_are(plan: Plan) -> None:
    failed = _ended("finetune-scratch-rgb-0", state="FAILED") | {"error": "CUDA out of memory"}
    writes = _by_key(
        Ledger(plan).take(
            [
                _started("finetune-scratch-rgb-0"),
                failed,
                _ended("evaluate-scratch-rgb-0", state="CANCELLED"),
            ]
        )
    )
    stage = writes["stage:finetune-scratch-rgb-0"]
    assert (stage.status, stage.tags["rotlab.error"]) == ("FAILED", "CUDA out of memory")
    [cell] = _cells(list(writes.values()))
    assert (cell.status, cell.tags["rotlab.state"], cell.points) == ("KILLED", "CANCELLED", ())


def test_a_stage_goes_on_in_the_same_run_after_it_was_killed(plan: Plan) -> None:
    ledger, key = Ledger(plan), "finetune-scratch-rgb-0"
    [killed] = ledger.take(
        [_started(key, 1), _ended(key, 2, "KILLED") | {"error": "spot node lost"}]
    )
    [resumed] = ledger.take([_started(key, 5)])
    [ended] = ledger.take([_ended(key, 6, loss=0.1)])
    assert [write.status for write in (killed, resumed, ended)] == ["KILLED", "RUNNING", "FINISHED"]
    assert {write.key for write in (killed, resumed, ended)} == {f"stage:{key}"}
    assert (ended.start_ms, ended.tags["rotlab.error"]) == (1000, "")


def test_what_ran_when_the_driver_vanished_is_killed_by_the_next_start(plan: Plan) -> None:
    ledger, key = Ledger(plan), "finetune-scratch-rgb-0"
    ledger.take([{"event": "study_started", "time": 1.0}, _started(key, 2.0)])
    assert ledger.take([{"event": "results_removed", "time": 90.0, "keys": []}]) == []
    writes = _by_key(ledger.take([{"event": "study_started", "time": 100.0}]))
    assert (writes[f"stage:{key}"].status, writes[f"stage:{key}"].end_ms) == ("KILLED", 2000)
    assert writes["study:small"].status == "RUNNING"


def test_batches_of_any_size_lead_to_the_same_runs(plan: Plan) -> None:
    events = [{"event": "study_started", "time": 0.5}]
    for number, key in enumerate(plan.stages):
        events += [_started(key, number + 1.0), _ended(key, number + 1.5, accuracy=number / 100)]
    events.append({"event": "study_ended", "time": 99.0, "state": "FINISHED"})

    def outcome(size: int) -> dict[str, object]:
        ledger, held = Ledger(plan), dict[str, Any]()
        for start in range(0, len(events), size):
            for write in ledger.take(events[start : start + size]):
                known = held.setdefault(write.key, {"points": [], "status": None, "tags": {}})
                known["points"] += write.points
                known["tags"] |= write.tags
                known["status"] = write.status or known["status"]
        return held

    assert outcome(1) == outcome(3) == outcome(len(events))


def test_events_of_stages_that_are_no_longer_planned_are_passed_over(plan: Plan) -> None:
    assert Ledger(plan).take([_started("gone"), _ended("gone", accuracy=1.0)]) == []


def test_a_metric_name_that_mlflow_would_refuse_is_written_with_underscores(plan: Plan) -> None:
    event = _ended("pretrain-rotation-rgb-0") | {"metrics": {"acc@1": 0.5}}
    [write] = Ledger(plan).take([event])
    assert _values(write) == {"acc_1": 0.5}


def test_what_searches_add_is_written_where_its_kind_is_known_and_passed_over_elsewhere(
    plan: Plan,
) -> None:
    cell = plan.cells[0]
    kept = {key: stage for key, stage in plan.stages.items() if key not in cell.stages}
    before = replace(plan, cells=plan.cells[1:], stages=kept)
    grew = grown(before, plan, 2.0)
    ends = [_ended(key, accuracy=0.5) for key in cell.stages]
    configs = {stage.kind: type(stage.config) for stage in plan.stages.values()}
    for known in (configs, {}):
        ledger = Ledger(before, known)
        written = {write.key for write in ledger.take([grew, *ends])}
        assert ({f"stage:{key}" for key in cell.stages} <= written) == (known is configs)
        name = cell_key(cell.arm, cell.target, cell.replicate, cell.measure)
        assert (f"cell:{name}" in written) == (known is configs)
        assert any(
            write.tags["rotlab.result"] == cell.result for write in ledger.decided_cells()
        ) == (known is configs)


def test_what_a_search_tries_is_linked_to_the_arms_that_it_is_tried_for(tmp_path: Path) -> None:
    plan = make_searching_job(tmp_path / "store").searches.catch_up(lambda _: {})  # type: ignore[union-attr]
    ledger = Ledger(plan, {"bowl": BowlConfig})
    tried = {one.proposal.tuning: one for one in plan.proposed if one.proposal.number == 1}
    assert len(tried) > 1
    for search, one in tried.items():
        [write] = ledger.take([_started(one.results[0])])
        assert json.loads(write.tags["rotlab.proposals"]) == [f"{search}:1"]
        arms = json.loads(write.tags["rotlab.arms"])
        assert arms == [dict(arm) for arm in plan.tunings[search].arms]
    assert (
        "rotlab.arms"
        not in Ledger(replace(plan, proposed=())).take([_started(one.results[0])])[0].tags
    )


def test_cells_that_looks_add_are_listed_with_the_study_and_so_is_how_they_came(
    tmp_path: Path,
) -> None:
    looks = looking(tmp_path)
    before = looks.plan
    ledger = Ledger(before, {"throw": ThrowConfig})
    started = {"event": "study_started", "time": 1.0, "question": "", "revision": 1}
    (first,) = ledger.take([started])
    assert len(read_roster(first.tags).cells) == 9
    after = looks.catch_up(lambda stages: {one.key: {"distance": value(one)} for one in stages})
    study, *_ = ledger.take([grown(before, after, 2.0)])
    assert study.key == first.key
    listed = read_roster(study.tags).cells
    assert len(listed) == len(after.cells) > 9
    assert {cell.key for cell in listed} == {
        cell_key(cell.arm, cell.target, cell.replicate, cell.measure) for cell in after.cells
    }
    assert json.loads(study.tags[LOOKS_TAG]) == {"at": [3, 5, 7], "metrics": ["distance of throw"]}


def _pruned(key: str, time: float = 1.5) -> dict[str, Any]:
    told = {"because": "asha", "epoch": 3, "step": 30, "value": 0.25}
    return {"event": "stage_pruned", "time": time, "key": key, **told}


def test_a_stage_that_was_stopped_in_a_search_is_killed_and_says_why(plan: Plan) -> None:
    key = "finetune-scratch-rgb-0"
    events = [_started(key), _pruned(key), _ended(key, state="PRUNED")]
    for number in range(1, 4):
        [write] = Ledger(plan).take(events[:number])
        said = write.tags.get("rotlab.pruned")
        assert said == (None if number == 1 else "after epoch 3, at 0.25, by asha")
        assert write.status == ("KILLED" if number == 3 else "RUNNING")
    assert write.tags["rotlab.state"] == "PRUNED"


def test_a_driver_that_was_killed_leaves_what_it_had_stopped_as_pruned(plan: Plan) -> None:
    key = "finetune-scratch-rgb-0"
    events = [_started(key), _pruned(key), {"event": "study_started", "time": 9.0}]
    write = _by_key(Ledger(plan).take(events))[f"stage:{key}"]
    assert (write.status, write.tags["rotlab.state"]) == ("KILLED", "PRUNED")


def test_what_was_stopped_and_goes_on_for_something_else_is_pruned_no_more(plan: Plan) -> None:
    key = "finetune-scratch-rgb-0"
    events = [_started(key), _pruned(key), _ended(key, state="PRUNED"), _started(key, 3.0)]
    [write] = Ledger(plan).take([*events, _ended(key, 4.0)])
    assert (write.status, write.tags["rotlab.pruned"]) == ("FINISHED", "")


def test_a_stage_that_was_given_up_before_it_began_is_no_run_at_work(plan: Plan) -> None:
    [write] = Ledger(plan).take([_pruned("finetune-scratch-rgb-0")])
    assert (write.status, write.tags["rotlab.state"]) == ("KILLED", "PRUNED")
