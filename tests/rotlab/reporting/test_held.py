"""Scores in a store become what arms were right on, by group of videos."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, Stage
from rotlab.reporting.comparison import compare
from rotlab.reporting.held import with_test_sets
from rotlab.store.record import Record
from rotlab.store.store import Store, checksums
from rotlab.store.study import next_revision
from rotnet.config import ScoreConfig
from rotnet.errors import UserError
from rotnet.evaluation.scores import Scores

Frame = Callable[..., pd.DataFrame]

VIDEOS, PER_GROUP = 24, 3


def _score(store: Store, key: str, right: np.ndarray[Any, Any]) -> None:
    """Commit an evaluation that has these videos right."""
    stage = Stage(key, "evaluate", ScoreConfig())
    folder = store.new_attempt(stage)
    labels = np.zeros(VIDEOS, dtype=np.int64)
    probabilities = np.where(right[:, None], [[0.9, 0.1]], [[0.2, 0.8]])
    names = tuple(f"v{number}.avi" for number in range(VIDEOS))
    Scores(names, ("a", "b"), labels, probabilities).save(folder)
    record = Record(
        *(key, "evaluate", folder.name, {}, checksums(folder), 1.0, {}, {}, (), {}),
        *("here", "cpu", None, "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01+00:00"),
    )
    store.commit(stage, folder, record)


@pytest.fixture
def scored(
    frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[pd.DataFrame, Store]:
    """Two arms of three seeds; which arm is right hangs on the group of a video."""
    rng = np.random.default_rng(0)
    store = Store.open(str(tmp_path / "store"))
    rows: list[dict[str, Any]] = []
    group = rng.random(VIDEOS // PER_GROUP).repeat(PER_GROUP)
    for init, easy in (("scratch", 0.6 * group), ("rotation", 1 - 0.6 * group)):
        for seed in range(3):
            right = rng.random(VIDEOS) < easy
            _score(store, f"{init}-{seed}", right)
            rows.append({"init": init, "seed": seed, "accuracy": float(right.mean())})
    stages = {f"{row['init']}-{row['seed']}": row for row in rows}
    cells = tuple(
        Cell({"init": row["init"]}, "demo", {"seed": row["seed"]}, "finetune", key, (key,))
        for key, row in stages.items()
    )
    plan = Plan(
        "small",
        "Why?",
        ("init",),
        cells,
        {key: Stage(key, "evaluate", ScoreConfig()) for key in stages},
    )
    store.save_study(next_revision(None, plan, "", {}))
    made = frame(rows, ["init"])
    made["stages"] = pd.Series([(key,) for key in stages], dtype=object)
    videos = [
        SimpleNamespace(path=f"v{number}.avi", group=f"g{number // PER_GROUP}")
        for number in range(VIDEOS)
    ]
    loaded = SimpleNamespace(videos=videos)
    monkeypatch.setattr("rotlab.reporting.held.Manifest.load", lambda *_, **__: loaded)
    return made, store


def test_the_interval_for_other_videos_is_wider_where_groups_matter(
    scored: tuple[pd.DataFrame, Store], tmp_path: Path
) -> None:
    made, store = scored
    [comparison] = compare(made)
    [contrast] = with_test_sets(comparison, made, store, "small", tmp_path).contrasts
    assert contrast.difference is not None
    assert contrast.elsewhere is not None
    assert contrast.elsewhere.difference == contrast.difference.difference
    assert (contrast.elsewhere.error or 0) > 1.3 * (contrast.difference.error or 1)


def test_metrics_that_are_no_mean_over_videos_stay_as_they_are(
    scored: tuple[pd.DataFrame, Store], tmp_path: Path
) -> None:
    made, store = scored
    made["loss"] = made["accuracy"]
    made.attrs["metrics"] = ["accuracy", "loss"]
    [comparison] = compare(made, "loss")
    assert with_test_sets(comparison, made, store, "small", tmp_path) is comparison


def test_scores_that_are_not_there_are_one_line(
    scored: tuple[pd.DataFrame, Store], tmp_path: Path
) -> None:
    made, _ = scored
    [comparison] = compare(made)
    with pytest.raises(UserError, match="holds no study 'small', so no scores"):
        with_test_sets(comparison, made, Store.open(str(tmp_path / "other")), "small", tmp_path)
    with pytest.raises(UserError, match="read from a folder, not from s3://sets"):
        with_test_sets(comparison, made, scored[1], "small", "s3://sets")
