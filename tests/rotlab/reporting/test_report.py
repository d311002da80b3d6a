import csv
import io
import json
from collections.abc import Callable

import pandas as pd
import pytest
from rich.console import Console

from rotlab.reporting.comparison import compare
from rotlab.reporting.report import (
    print_report,
    report_markdown,
    report_text,
    tidy_csv,
    tidy_json,
)

Frame = Callable[..., pd.DataFrame]


def _table(text: str) -> list[str]:
    """Return the lines of the first plain table: from its heading to the next empty line."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if "95 % interval" in line)
    return lines[start : lines.index("", start)]


def test_plain_columns_line_up(study: pd.DataFrame) -> None:
    heading, *rows = _table(report_text(compare(study, "accuracy"), "Why?"))
    assert len(rows) == 4
    for name in ("modality", "init"):
        start = heading.index(name)
        assert all(row[start - 1] == " " and row[start] != " " for row in rows)
    end = heading.index("mean %") + len("mean %")
    assert [row[:end].split()[-1] for row in rows] == ["52.0", "52.0", "41.0", "61.0"]


def test_plain_text_has_no_control_characters(study: pd.DataFrame) -> None:
    text = report_text(compare(study, "accuracy"), "Why?")
    assert all(character == "\n" or character.isprintable() for character in text)
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_markdown_rows_have_as_many_cells_as_the_heading(frame: Frame) -> None:
    rows = [{"init": "a|b", "accuracy": 0.5}, {"init": "scratch", "state": "MISSING"}]
    text = report_markdown(compare(frame(rows), "accuracy"), "Why?")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 4
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert set(table[1]) <= set("|-: ")


@pytest.mark.parametrize("write", [report_text, report_markdown])
def test_every_report_holds_question_answer_chance_and_pretext(
    study: pd.DataFrame, write: Callable[..., str]
) -> None:
    text = write(compare(study, "accuracy"), "Does it help?")
    assert "Does it help?" in text
    assert "Rotation pretraining helps for dif: +20.0 points" in text
    assert "No difference shown for rgb" in text
    assert "chance 25.0 %" in text
    assert "71.0" in text
    assert "missing" not in text


def test_what_is_missing_is_told_by_arm_and_in_all(frame: Frame) -> None:
    rows = [{"init": "rotation", "seed": seed, "accuracy": 0.5} for seed in (0, 1, 2)]
    rows += [{"init": "scratch", "seed": 0, "accuracy": 0.4}]
    rows += [{"init": "scratch", "seed": seed, "state": "MISSING"} for seed in (1, 2)]
    text = report_text(compare(frame(rows), "accuracy"), "")
    assert "2 of 6 cells missing" in text
    assert "2 of 3 cells" in text
    assert "Too few seeds to tell" in text


def test_a_terminal_gets_the_same_words(study: pd.DataFrame) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=60, color_system=None)
    print_report(compare(study, "accuracy"), "Does it help?", console)
    text = report_text(compare(study, "accuracy"), "Does it help?")
    assert screen.getvalue().split() == text.split()


def test_csv_and_json_hold_every_cell_in_full(study: pd.DataFrame) -> None:
    study.loc[0, "accuracy"] = 1 / 3
    from_csv = list(csv.DictReader(io.StringIO(tidy_csv(study))))
    from_json = json.loads(tidy_json(study))
    assert len(from_csv) == len(from_json) == len(study)
    assert float(from_csv[0]["accuracy"]) == from_json[0]["accuracy"] == 1 / 3
    assert from_csv[0]["pretext.rotations"] == ""
    assert from_json[0]["pretext.rotations"] is None
    assert (from_csv[3]["pretext.rotations"], from_json[3]["pretext.rotations"]) == ("4", 4)


def test_a_missing_value_is_empty_or_null(frame: Frame) -> None:
    table = frame([{"seed": 0, "split": None, "accuracy": 0.5}, {"seed": 1, "state": "MISSING"}])
    [first, second] = json.loads(tidy_json(table))
    assert (first["split"], second["accuracy"]) == (None, None)
    assert list(csv.DictReader(io.StringIO(tidy_csv(table))))[1]["accuracy"] == ""


def test_a_measure_without_the_metric_is_not_called_missing_but_says_what_it_has(
    frame: Frame,
) -> None:
    rows = [{"init": "rotation", "accuracy": 0.5}]
    rows += [{"init": "rotation", "measure": "pretrain", "val_accuracy": 0.7}]
    text = report_text(compare(frame(rows), "accuracy"), "")
    assert "pretrain has no accuracy; --metric can be: val_accuracy" in text
    assert "missing" not in text


def test_where_no_arm_is_the_baseline_the_reader_is_told_how_to_name_one(frame: Frame) -> None:
    rows = [{"init": "rotation", "modality": one, "accuracy": 0.5} for one in ("rgb", "dif")]
    assert "--baseline AXIS=VALUE" in report_text(compare(frame(rows), "accuracy"), "")
    rows += [{"init": "scratch", "modality": "rgb", "accuracy": 0.5}]
    assert "--baseline" not in report_text(compare(frame(rows), "accuracy"), "")


def test_a_retrieval_has_a_table_of_its_own_with_map_and_both_chances(frame: Frame) -> None:
    rows: list[dict[str, object]] = []
    for init, value in (("scratch", 0.3), ("rotation", 0.5)):
        rows.append({"init": init, "accuracy": value, "finetune.freeze": 2})
        rows.append(
            {
                "init": init,
                "measure": "retrieval",
                "recall_at_1": value,
                "chance_recall_at_1": 0.2,
                "mean_average_precision": value / 2,
                "chance_mean_average_precision": 0.25,
            }
        )
    text = report_text(compare(frame(rows, ["init", "finetune.freeze"])), "Why?")
    assert "demo, finetune: accuracy in %" in text
    assert "scratch is the random network" in text
    assert "demo, retrieval: recall_at_1 in %; chance 20.0 %; chance of mAP 25.0 %" in text
    finetune, retrieval = text.split("demo, retrieval")
    assert "finetune.freeze" in finetune
    assert "finetune.freeze" not in retrieval  # an axis that no arm there has
    heading, *table = _table(retrieval)
    assert heading.split()[-2:] == ["mAP", "%"]
    assert [row.split()[-1] for row in table] == ["15.0", "25.0"]


def test_a_baseline_that_nothing_can_be_set_against_is_told_why(frame: Frame) -> None:
    rows: list[dict[str, object]] = [
        {"init": "rotation", "pretext.rotations": rotations, "accuracy": 0.5}
        for rotations in (2, 4)
    ]
    rows += [{"init": "scratch", "accuracy": 0.5}]
    rows += [{"init": init, "measure": "linear", "accuracy": 0.5} for init in ("scratch", "pace")]
    text = report_text(compare(frame(rows), "accuracy", {"init": "rotation"}), "")
    finetune, linear = text.split("demo, linear")
    assert "no other arm is equal to rotation on pretext.rotations; name that in" in finetune
    assert "no arm is rotation" in linear
    assert "To see differences" not in text
    text = report_text(compare(frame(rows), "accuracy", {"pretext.rotations": 2}), "")
    assert "linear does not read pretext.rotations" in text


def test_a_pretrainings_own_accuracy_stands_in_its_table_once(frame: Frame) -> None:
    row = {"init": "rotation", "measure": "pretrain", "val_accuracy": 0.7}
    text = report_text(compare(frame([row | {"pretext.val_accuracy": 0.7}])), "")
    assert text.count("70.0") == 1
