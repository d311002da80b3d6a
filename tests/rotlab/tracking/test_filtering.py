import math

import pandas as pd
import pytest

from rotlab.tracking.expression import FilterError
from rotlab.tracking.filtering import select


@pytest.fixture
def frame() -> pd.DataFrame:
    axes = {
        "pretext.rotations": [4, 8, None, {"angles": [90, 270]}],
        "modality": ["rgb", "fusion", "fusion", "dif"],
        "finetune.shots": [5, "none", 5, None],
    }
    rest = {
        "target": ["ucf101", "ucf101", "hmdb51", "hmdb51"],
        "seed": pd.array([0, 1, 2, None], dtype="Int64"),
        "state": ["FINISHED", "FINISHED", "MISSING", "FAILED"],
        "accuracy": [0.5, 0.75, math.nan, math.nan],
        "pretext.rgb.accuracy": [0.9, 0.8, math.nan, math.nan],
        "pretext.dif.accuracy": [0.6, 0.7, math.nan, math.nan],
    }
    columns = {name: pd.Series(values, dtype=object) for name, values in axes.items()} | rest
    frame = pd.DataFrame(columns)
    frame.attrs = {"axes": list(axes), "metrics": ["accuracy"], "question": "?", "baseline": {}}
    return frame


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("pretext.rotations == 4 and modality == 'rgb'", [0]),
        ("rotations == 4", [0]),
        ("rotations != 4", [1, 3]),
        ("not rotations == 4", [1, 2, 3]),
        ("rotations in [4, 8]", [0, 1]),
        ("rotations not in [4]", [1, 3]),
        ("rotations is missing", [2]),
        ("rotations > 4", [1]),
        ("""rotations == '{"angles": [90, 270]}'""", [3]),
        ("shots == none", [1]),
        ("shots is missing", [3]),
        ("shots >= 5", [0, 2]),
        ("accuracy is not missing", [0, 1]),
        ("accuracy < 0.6 or seed >= 2", [0, 2]),
        ("accuracy > pretext.dif.accuracy", [1]),
        ("0.5 < accuracy", [1]),
        ("rgb.accuracy > 0.85", [0]),
        ("modality == 'fusion' and (target == 'hmdb51' or seed == 1)", [1, 2]),
        ("state != 'FINISHED'", [2, 3]),
        ("state == 'CANCELLED'", []),
        ("modality >= 'e'", [0, 1, 2]),
    ],
)
def test_a_filter_selects_the_cells_for_which_it_is_so(
    frame: pd.DataFrame, where: str, rows: list[int]
) -> None:
    chosen = select(frame, where)
    expected = frame.iloc[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(chosen, expected)
    assert chosen.attrs == frame.attrs


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("modalty == 'rgb'", "position 1: unknown column 'modalty'; did you mean 'modality'?"),
        ("seed == 0 and modality == fusion", "position 27: text is written in quotes: 'fusion'"),
        (
            "modality == 'fusoin'",
            "position 13: unknown value of modality: 'fusoin'; did you mean 'fusion'?",
        ),
        ("modality in ['rgb', 'diff']", "position 21: unknown value of modality: 'diff'"),
        ("accuracy > '0.5'", "position 12: accuracy is numbers (0.5, 0.75), not '0.5'"),
        ("modality == 4", "position 13: modality is text (rgb, fusion, dif), not 4"),
        ("stages == 'a'", "position 1: unknown column 'stages'"),
    ],
)
def test_a_name_or_value_that_there_is_not_is_told_with_those_there_are(
    frame: pd.DataFrame, where: str, said: str
) -> None:
    with pytest.raises(FilterError) as caught:
        select(frame, where)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_last_part_that_several_columns_have_must_be_written_in_full(
    frame: pd.DataFrame,
) -> None:
    renamed = frame.rename(columns={"accuracy": "top5"})
    with pytest.raises(FilterError, match=r"'accuracy' may be pretext.rgb.accuracy or pretext.dif"):
        select(renamed, "accuracy > 0.5")
