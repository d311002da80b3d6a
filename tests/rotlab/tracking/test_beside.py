from pathlib import Path

import pandas as pd
import pytest

from rotlab.tracking.beside import beside
from rotnet.errors import UserError


@pytest.fixture
def frame() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "pretext.rotations": pd.Series([4, None], dtype=object),
            "init": pd.Series(["rotation", "scratch"], dtype=object),
            "target": pd.Series(["ucf101", "ucf101"], dtype=object),
            "seed": pd.array([0, 1], dtype="Int64"),
            "measure": pd.Series(["finetune", "finetune"], dtype=object),
            "state": pd.Series(["FINISHED", "FINISHED"], dtype=object),
            "accuracy": [0.5, 0.25],
        }
    )
    frame.attrs = {
        "axes": ["pretext.rotations", "init"],
        "metrics": ["accuracy"],
        "question": "?",
        "baseline": {},
    }
    return frame


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "others.csv"
    path.write_text(text)
    return path


def test_lines_become_rows_that_say_where_they_come_from(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    lines = 'rotations,init,target,accuracy,source\n8,rotation,ucf101,0.629,"Jing, 2018"\n'
    joined = beside(frame, _write(tmp_path, lines))
    assert list(joined.columns) == [*frame.columns, "source"]
    pd.testing.assert_frame_equal(joined.iloc[:2].drop(columns="source"), frame)
    assert joined["source"].tolist() == [None, None, "Jing, 2018"]
    row = joined.iloc[2]
    assert (row["pretext.rotations"], row["init"], row["accuracy"]) == (8, "rotation", 0.629)
    assert (row["state"], row["measure"]) == ("BESIDE", None)
    assert joined["seed"].isna().tolist() == [False, False, True]
    assert joined.attrs == frame.attrs


def test_a_file_without_lines_adds_none(frame: pd.DataFrame, tmp_path: Path) -> None:
    assert len(beside(frame, _write(tmp_path, "accuracy,source\n"))) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("acuracy,source\n1,x\n", "unknown column 'acuracy'; did you mean 'accuracy'?"),
        ("accuracy\n1\n", "a column 'source' must say where each line comes from"),
        ("accuracy,source\n0.5,\n", "line 2: the column 'source' is empty"),
        ("accuracy,source\n62.9 %,x\n", "line 2: accuracy must be a number, got '62.9 %'"),
        ("accuracy,source\n0.5,x\n0.5\n", "line 3: has another number of values"),
        ("accuracy,source\n0.5,x,y\n", "line 2: has another number of values"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_with_file_and_number(
    frame: pd.DataFrame, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        beside(frame, _write(tmp_path, text))
    assert said in str(caught.value)
    assert "others.csv" in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read as CSV"):
        beside(frame, tmp_path / "none.csv")
