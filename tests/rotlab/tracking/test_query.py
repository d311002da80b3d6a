from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.tracking.journal import Journal
from rotlab.tracking.query import results
from rotlab.tracking.tracker import Tracker
from rotlab.tracking.uri import TrackingError


def _finish(plan: Plan, journal: Journal, uri: str, **results_of: float | str) -> None:
    """Track a study in which stages end with an accuracy, or in a state."""
    tracker = Tracker(plan, journal, uri)
    tracker.start()
    tracker.record({"event": "study_started", "time": 1.0})
    for name, result in results_of.items():
        event: dict[str, Any] = {"event": "stage_ended", "time": 2.0, "key": name.replace("_", "-")}
        if isinstance(result, str):
            tracker.record(event | {"state": result})
        else:
            tracker.record(event | {"state": "FINISHED", "metrics": {"accuracy": result}})
    assert tracker.close() == 0


def test_every_planned_cell_is_a_row_whether_or_not_it_has_a_result(
    plan: Plan, journal: Journal, uri: str
) -> None:
    _finish(
        plan,
        journal,
        uri,
        evaluate_scratch_rgb_0=0.4,
        evaluate_rotation_rgb_0="FAILED",
        fuse_rotation_0="CANCELLED",
    )
    frame = results("small", uri)
    assert len(frame) == len(plan.cells) == 4
    assert list(frame["state"][:4]) == ["FINISHED", "MISSING", "FAILED", "CANCELLED"]
    assert frame["accuracy"].notna().sum() == 1


def test_a_value_null_is_told_from_an_axis_that_is_not_read(
    plan: Plan, journal: Journal, uri: str
) -> None:
    axes = ("finetune.shots",)
    arms: list[dict[str, Any]] = [{"finetune.shots": 5}, {"finetune.shots": None}, {}]
    cells = tuple(replace(plan.cells[0], arm=arm, measure=str(i)) for i, arm in enumerate(arms))
    _finish(replace(plan, axes=axes, cells=cells), journal, uri)
    assert results("small", uri)["finetune.shots"].tolist() == [5, "none", None]


def test_columns_and_types_are_those_of_the_search_space(
    plan: Plan, journal: Journal, uri: str
) -> None:
    _finish(plan, journal, uri, evaluate_rotation_rgb_0=0.4)
    frame = results("small", uri)
    assert list(frame.columns) == [
        *("pretext.rotations", "modality", "init"),
        *("target", "seed", "split", "measure", "state", "accuracy", "stages"),
    ]
    [row] = frame[frame["state"] == "FINISHED"].to_dict("records")
    assert row == {
        "pretext.rotations": 4,
        "modality": "rgb",
        "init": "rotation",
        "target": "demo",
        "seed": 0,
        "split": 1,
        "measure": "finetune",
        "state": "FINISHED",
        "accuracy": 0.4,
        "stages": ("pretrain-rotation-rgb-0", "finetune-rotation-rgb-0", "evaluate-rotation-rgb-0"),
    }
    assert frame["pretext.rotations"][0] is None
    assert frame.attrs["question"] == "Does it help?"


def test_seeds_of_stage_kinds_have_columns_of_their_own(
    plan: Plan, journal: Journal, uri: str
) -> None:
    own: list[dict[str, int]] = [
        {"seed": 3, "split": 1, "seed.pretrain": 3, "seed.finetune": 0},
        {"seed": 0, "seed.finetune": 0},
    ]
    cells = tuple(
        replace(plan.cells[0], replicate=one, measure=str(i)) for i, one in enumerate(own)
    )
    _finish(replace(plan, cells=cells), journal, uri)
    frame = results("small", uri)
    assert list(frame.columns[4:8]) == ["seed", "split", "seed.finetune", "seed.pretrain"]
    assert frame["seed.pretrain"].tolist()[0] == 3
    assert frame["seed.pretrain"].isna().tolist() == frame["split"].isna().tolist() == [False, True]


def test_the_baseline_of_a_study_is_known_and_gone_when_the_study_has_none(
    plan: Plan, journal: Journal, uri: str
) -> None:
    baseline = {"init": "rotation", "finetune.shots": None}
    _finish(replace(plan, baseline=baseline), journal, uri)
    assert results("small", uri).attrs["baseline"] == {"init": "rotation", "finetune.shots": "none"}
    _finish(plan, journal, uri)
    assert results("small", uri).attrs["baseline"] == {}


def test_cells_that_the_study_no_longer_plans_are_not_results(
    study: Callable[..., Plan], journal: Journal, uri: str
) -> None:
    _finish(study((0, 1)), journal, uri, evaluate_scratch_rgb_0=0.4, evaluate_scratch_rgb_1=0.5)
    _finish(study((0,)), journal, uri)
    assert set(results("small", uri)["seed"]) == {0}


def test_an_unknown_study_is_one_line_with_those_there_are(
    plan: Plan, journal: Journal, uri: str
) -> None:
    _finish(plan, journal, uri)
    with pytest.raises(
        TrackingError, match=r"study 'smal'; did you mean 'small'\? \(small\)"
    ) as caught:
        results("smal", uri)
    assert "\n" not in str(caught.value)


def test_an_mlflow_without_studies_says_so(uri: str) -> None:
    with pytest.raises(TrackingError, match="holds no study yet"):
        results("small", uri)


def test_without_a_database_there_is_one_line_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="does not exist; run the study first"):
        results("small", f"sqlite:///{tmp_path}/store/mlflow.db")
    assert list(tmp_path.iterdir()) == []
