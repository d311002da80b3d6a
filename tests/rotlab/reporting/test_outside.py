from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from rotlab.reporting.comparison import compare
from rotlab.reporting.outside import NOTE, beside, outside_of, read_outside
from rotlab.reporting.typeset import outside_markdown, outside_text
from rotnet.errors import UserError

Frame = Callable[..., pd.DataFrame]


def test_published_numbers_have_sources_and_stand_with_their_data_set(frame: Frame) -> None:
    [comparison] = compare(frame([{"target": "UCF-101", "accuracy": 0.5}]))
    found = beside(comparison, read_outside())
    assert {one.target for one in found} == {"ucf101"}
    assert {one.metric for one in found} == {"accuracy"}
    assert all(one.source for one in found)
    assert [one.value for one in found] == sorted((one.value for one in found), reverse=True)
    [rgb] = [one for one in found if one.method == "3DRotNet" and "16 frames" in one.details]
    assert rgb.value == 62.9


def test_they_are_marked_as_other_peoples() -> None:
    for write in (outside_text, outside_markdown):
        text = write(read_outside())
        assert text.startswith(NOTE)
        assert "readme of RSPNet" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("method,target,metric,value\nA,b,accuracy,1\n", "has no column 'source'"),
        ("method,target,metric,value,source,colour\n", "unknown column 'colour'"),
        ("method,target,metric,value,source\nA,b,accuracy,high,me\n", "row 2: value must be"),
        ("method,target,metric,value,source\nA,b,accuracy,nan,me\n", "a number, got 'nan'"),
        ("method,target,metric,value,source\nA,b,accuracy,1,\n", "row 2: source is empty"),
    ],
)
def test_a_file_that_does_not_do_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        read_outside(path)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_outside(tmp_path / "none.csv")


def test_ones_own_numbers_go_with_every_measure_unless_they_name_one(
    tmp_path: Path, frame: Frame
) -> None:
    path = tmp_path / "own.csv"
    path.write_text("method,target,metric,value,source\nours of 2024,demo,accuracy,41.5,notebook\n")
    for measure in ("finetune", "linear"):
        [comparison] = compare(frame([{"measure": measure, "accuracy": 0.5}]))
        assert [one.method for one in beside(comparison, read_outside(path))] == ["ours of 2024"]


def test_rows_of_other_people_among_results_are_shown_and_never_compared(frame: Frame) -> None:
    rows = [{"init": "scratch", "seed": seed, "accuracy": 0.5} for seed in (0, 1)]
    made = frame([*rows, {"init": "VCOP", "seed": None, "state": "BESIDE", "accuracy": 0.649}])
    made["source"] = pd.Series([None, None, "their paper"], dtype=object)
    [comparison] = compare(made)
    assert [arm.arm["init"] for arm in comparison.arms] == ["scratch"]
    [one] = beside(comparison, outside_of(made))
    assert (one.method, one.source) == ("VCOP", "their paper")
    assert one.value == pytest.approx(64.9)
