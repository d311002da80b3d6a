import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from rotlab.cli import main
from rotlab.planning.plan.plan import Plan
from rotlab.planning.stage import Cell, Stage
from rotlab.tracking.journal import Journal
from rotlab.tracking.tracker import Tracker
from rotnet.config import ScoreConfig

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in which the study `small` has ended, but for one cell."""
    store = tmp_path_factory.mktemp("store")
    _track(_plan(), store)
    return store


def _track(plan: Plan, store: Path) -> None:
    """Track a study that has ended, but for its last cell."""
    journal = Journal(store / "studies" / "small" / "journal.jsonl")
    tracker = Tracker(plan, journal, f"sqlite:///{store}/mlflow.db")
    tracker.start()
    tracker.record({"event": "study_started", "time": 1.0})
    for number, key in enumerate(list(plan.stages)[:-1]):
        accuracy = (0.8 if key.startswith("rotation") else 0.5) + number / 100
        tracker.record(
            {
                "event": "stage_ended",
                "time": 2.0 + number,
                "key": key,
                "state": "FINISHED",
                "metrics": {"accuracy": accuracy},
            }
        )
    assert tracker.close() == 0
    journal.close()


@pytest.fixture
def ask(store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return a function that calls `rotlab results` and returns status, output and errors."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        status = main(["results", *arguments, "--store", str(store)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def _plan() -> Plan:
    keys = [f"{init}-{seed}" for init in ("scratch", "rotation") for seed in range(4)]
    stages = {key: Stage(key, "evaluate", ScoreConfig()) for key in keys}
    cells = tuple(
        Cell({"init": init}, "demo", {"seed": int(seed)}, "finetune", key, (key,))
        for key in keys
        for init, seed in [key.split("-")]
    )
    return Plan("small", "Does it help?", ("init",), cells, stages)


def test_the_table_answers_the_question_and_tells_what_is_missing(ask: Ask) -> None:
    status, out, err = ask("small")
    assert (status, err) == (0, "")
    assert "Does it help?" in out
    assert "Rotation pretraining helps: +33.5 points" in out
    assert "1 of 8 cells missing" in out


def test_arms_are_set_against_the_search_spaces_own_baseline_unless_another_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _track(replace(_plan(), baseline={"init": "rotation"}), tmp_path)
    for arguments, expected in (([], "rotation"), (["--baseline", "init=scratch"], "scratch")):
        assert main(["results", "small", "--store", str(tmp_path), *arguments]) == 0
        assert f"Differences are against {expected}, all else equal" in capsys.readouterr().out


def test_markdown_is_a_table_too(ask: Ask) -> None:
    _, out, _ = ask("small", "--format", "markdown")
    assert "| init | n |" in out


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("table", "init \\ target"),
        ("markdown", "| rotation | **85.0**"),
        ("latex", "\\toprule"),
        ("csv", "init,demo mean,demo low"),
        ("html", '<th scope="row">rotation</th>'),
    ],
)
def test_two_axes_make_a_papers_table_in_every_form(ask: Ask, form: str, said: str) -> None:
    status, out, err = ask("small", "--rows", "init", "--columns", "target", "--format", form)
    assert (status, err) == (0, "")
    assert said in out


def test_ones_own_numbers_stand_beside_and_are_marked(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("target,measure,accuracy,source\ndemo,finetune,0.415,a notebook\n")
    _, out, _ = ask("small", "--beside", str(path))
    assert "Other people's numbers, under other protocols" in out
    assert "a notebook" in out
    _, out, _ = ask("small", "--published")
    assert "demo, finetune: accuracy: no numbers of others" in out


def test_csv_and_json_list_every_cell(ask: Ask) -> None:
    from_csv = list(csv.DictReader(io.StringIO(ask("small", "--format", "csv")[1])))
    from_json = json.loads(ask("small", "--format", "json")[1])
    assert len(from_csv) == len(from_json) == 8
    assert [row["state"] for row in from_json].count("MISSING") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["smal"], "unknown study 'smal'; did you mean 'small'? (small)"),
        (["small", "--metric", "acuracy"], "unknown metric 'acuracy'; did you mean 'accuracy'?"),
        (
            ["small", "--baseline", 'init={"angles": [0, 90]}'],
            'no arm has init={"angles": [0, 90]}',
        ),
        (["small", "--rows", "init"], "--rows and --columns go together"),
        (["small", "--format", "latex"], "--format latex is a table of two axes: give --rows"),
        (
            ["small", "--rows", "init", "--columns", "modality"],
            "unknown axis 'modality' (init, target)",
        ),
        (["small", "--published", "--format", "json"], "goes with --format table or markdown"),
        (["small", "--random-splits", "30"], "must be a share between 0 and 1, got 30"),
        (["small", "--test-set"], "holds no study 'small', so no scores of it either"),
        (["small", "--tracking-uri", "ftp://x"], "tracking URI 'ftp://x' is not of a known form"),
        (["small", "--where", "init = 'scratch'"], "position 6: = alone is not known; write =="),
        (["small", "--where", "state == 'FAILED'"], "no cell is so: --where state == 'FAILED'"),
        (["small", "--beside", "none.csv"], "none.csv cannot be read as CSV"),
        (["small", "--format", "parquet"], "--format parquet needs --output FILE"),
        (["small", "--format", "csv", "-o", "none/x.csv"], "none/x.csv cannot be written"),
    ],
)
def test_what_cannot_be_answered_is_one_line_and_status_2(
    ask: Ask, arguments: list[str], said: str
) -> None:
    status, out, err = ask(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1


def test_a_filter_leaves_the_cells_for_which_it_is_so(ask: Ask) -> None:
    out = ask("small", "--format", "csv", "--where", "init == 'rotation' and seed < 2")[1]
    assert [(row["init"], row["seed"]) for row in csv.DictReader(io.StringIO(out))] == [
        ("rotation", "0"),
        ("rotation", "1"),
    ]


def test_cells_can_be_written_to_a_file_of_any_format(ask: Ask, tmp_path: Path) -> None:
    for format_ in ("csv", "json", "parquet", "markdown", "table"):
        path = tmp_path / f"cells.{format_}"
        assert ask("small", "--format", format_, "-o", str(path)) == (0, "", "")
    cells = pd.read_parquet(tmp_path / "cells.parquet")
    assert len(cells) == len(pd.read_csv(tmp_path / "cells.csv")) == 8
    assert cells["accuracy"].notna().sum() == 7
    assert len(list(tmp_path.iterdir())) == 5
