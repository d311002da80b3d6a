from pathlib import Path

import pytest

from rotnet.cli import main


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere"], "nowhere"),
        (["--rotations", "3"], "unknown '3'; (2, 4, 8, 360)"),
        (["--rotations", "8", "--path", "exact"], "multiples of 90 degrees, and the set has 45"),
        (["--split", "1"], "give DATA as well"),
        (["--set", "pretext.task=pace"], "rotations is not for the task 'pace'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = [str(tmp_path / word) if word == "nowhere" else word for word in words]
    assert main(["doctor", *words]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert complaint in said.err
    assert said.err.count("\n") == 1
    assert not said.out
